// SPDX-License-Identifier: Apache-2.0
// What was deleted, the last on top, and the message that offers it back. It
// stays until it is closed: nobody has to be quick.

// `onUndo` is called with the id of the text that shall come back.
export function deleted(toast, onUndo) {
  const [text, undo, close] = toast.querySelectorAll("p, button");
  const stack = []; // [{ id, word }]

  function draw() {
    const last = stack.at(-1);
    toast.classList.toggle("shown", last !== undefined);
    // what cannot be seen is not reached by Tab either
    for (const button of [undo, close]) button.disabled = !last;
    text.textContent = !last ? ""
      : stack.length === 1 ? `Deleted: ${last.word}.`
      : `Deleted: ${last.word}, and ${stack.length - 1} before.`;
  }

  function takeBack() {
    const last = stack.pop();
    draw();
    if (last) onUndo(last.id);
  }

  undo.addEventListener("click", takeBack);
  close.addEventListener("click", () => {
    toast.classList.remove("shown");
    for (const button of [undo, close]) button.disabled = true;
  });
  draw();

  return {
    get count() {
      return stack.length;
    },
    push(id, word) {
      stack.push({ id, word });
      draw();
    },
    takeBack,
  };
}
