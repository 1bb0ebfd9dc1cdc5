// SPDX-License-Identifier: Apache-2.0
// fetch, with the bytes counted as they come, and errors in words. Resolves to
// a Response when all of them are there.
export async function download(url, onBytes = () => {}) {
  const name = url.pathname.split("/").pop();
  let response;
  try {
    response = await fetch(url);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const chunks = [];
    const reader = response.body.getReader();
    for (let step; !(step = await reader.read()).done; ) {
      chunks.push(step.value);
      onBytes(step.value.length);
    }
    return new Response(new Blob(chunks));
  } catch (cause) {
    throw new Error(`${name} could not be loaded (${cause.message}).`, { cause });
  }
}
