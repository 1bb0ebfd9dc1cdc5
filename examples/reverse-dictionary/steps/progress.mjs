// SPDX-License-Identifier: Apache-2.0
// A line on standard error: how far, how fast, how long still. It is redrawn on
// a terminal; elsewhere a new one is written every ten seconds.
export function progress(label, total) {
  const { stderr } = process;
  const start = performance.now();
  let done = 0;
  let drawn = 0;

  function draw(now) {
    drawn = now;
    const seconds = (now - start) / 1000;
    const rate = done / seconds;
    const time = done < total ? `${clock((total - done) / rate)} left` : `took ${clock(seconds)}`;
    const line =
      `${label} ${number(done)} of ${number(total)} (${Math.floor((100 * done) / total)} %), ` +
      `${number(Math.round(rate))} a second, ${time}`;
    stderr.write(stderr.isTTY ? `\r${line}\x1b[K` : `${line}\n`);
  }

  return {
    add(count) {
      done += count;
      const now = performance.now();
      if (now - drawn > (stderr.isTTY ? 100 : 10_000) || drawn === 0) draw(now);
    },
    end() {
      draw(performance.now());
      if (stderr.isTTY) stderr.write("\n");
    },
  };
}

export const number = (value) => value.toLocaleString("en");

const clock = (seconds) => {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};
