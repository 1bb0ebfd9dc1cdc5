// SPDX-License-Identifier: Apache-2.0
// Serves folders on 127.0.0.1 and opens pages in real browsers, the same way
// for Chromium (playwright-core) and Firefox (puppeteer-core over WebDriver
// BiDi: Playwright drives only a Firefox of its own).
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, resolve, sep } from "node:path";

const MIME = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
};

// Cross-origin isolation, without which pages have no SharedArrayBuffer and
// only coarse clocks.
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

// The file that a request path stands for, or undefined: the longest mount
// wins, and nothing outside the mounted folder is reached.
async function find(mounts, path) {
  const prefix = Object.keys(mounts)
    .filter((mount) => path.startsWith(mount))
    .sort((a, b) => b.length - a.length)[0];
  if (prefix === undefined) return undefined;
  const root = resolve(mounts[prefix]);
  const file = join(root, path.slice(prefix.length));
  if (file !== root && !file.startsWith(root + sep)) return undefined;
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory()) return path.endsWith("/") ? join(file, "index.html") : undefined;
  return found?.isFile() ? file : undefined;
}

// Serves each folder of `mounts`, { "/": folder, "/x/": folder }, until closed.
// `headers` are added to those of cross-origin isolation, or replace them.
export async function serve(mounts, { headers = {}, port = 0 } = {}) {
  const server = createServer(async (request, response) => {
    const answer = (status, type, body) => {
      response.writeHead(status, { ...ISOLATION, "Content-Type": type, ...headers });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    try {
      const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
      if (path === "/favicon.ico") return answer(204, MIME[".txt"]);
      const file = await find(mounts, path);
      const body = file && (await readFile(file).catch(() => undefined));
      if (!body) return answer(404, MIME[".txt"], `no such file: ${path}\n`);
      answer(200, MIME[extname(file)] ?? "application/octet-stream", body);
    } catch (error) {
      answer(400, MIME[".txt"], `${error.message}\n`);
    }
  });
  await new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(port, "127.0.0.1", done);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () =>
      new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
      }),
  };
}

async function openChromium({ width, height }) {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return [browser, await browser.newPage({ viewport: { width, height } })];
}

async function openFirefox({ width, height }) {
  const { default: puppeteer } = await import("puppeteer-core");
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    defaultViewport: { width, height },
    protocolTimeout: 15 * 60 * 1000, // one evaluate may run a whole suite
  });
  return [browser, await browser.newPage()];
}

export const BROWSERS = { chromium: openChromium, firefox: openFirefox };

// Opens `url` in a fresh browser named "chromium" or "firefox" and waits for
// its load event. `errors` collects uncaught errors and console.error lines.
export async function open(name, url, { width = 1280, height = 800 } = {}) {
  if (!BROWSERS[name]) {
    throw new RangeError(`no browser "${name}": use ${Object.keys(BROWSERS).join(" or ")}`);
  }
  const [browser, page] = await BROWSERS[name]({ width, height });
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error?.stack ?? error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  try {
    await page.goto(url, { waitUntil: "load", timeout: 60_000 });
  } catch (error) {
    await browser.close();
    throw error;
  }
  return {
    page,
    errors,
    // fn runs in the page; its argument and result are JSON values
    evaluate: (fn, arg) => page.evaluate(fn, arg),
    screenshot: (path) => page.screenshot({ path }),
    close: () => browser.close(),
  };
}
