// SPDX-License-Identifier: Apache-2.0
// The question in the page's address: #q=words, or #like=id&q=words.

export function toAddress({ text, like }) {
  const parts = new URLSearchParams();
  if (like !== undefined) parts.set("like", like);
  if (text) parts.set("q", text);
  return parts.size > 0 ? `#${parts}` : location.pathname;
}

export function fromAddress() {
  const parts = new URLSearchParams(location.hash.slice(1));
  return { text: parts.get("q") ?? "", like: parts.get("like") ?? undefined };
}
