/* A button on each block of text that can be copied: `<pre data-copy="Copy the command">`. */

for (const block of document.querySelectorAll("pre[data-copy]")) {
  if (!navigator.clipboard) break; // only where the page came by a safe way
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = block.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = block.dataset.copy; }, 2000);
  });
  block.after(button);
}
