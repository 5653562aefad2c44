/* Files that are dropped or chosen, those in folders too: each { name, blob }, the name with the
   folders that it lies in. */

/* More at one time is for the command line. */
export const MOST_FILES = 10_000;

/* Return the files of a drop, and of its folders those named *.json, at most one too many.

   What the drop holds must be taken before anything is awaited: then it is gone. */
export function droppedFiles(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  return filesOf(entries);
}

async function filesOf(entries) {
  const files = [];
  const pending = entries.map((entry) => ({ entry, isNamed: true }));
  while (pending.length && files.length <= MOST_FILES) {
    const { entry, isNamed } = pending.shift();
    if (entry instanceof File) {
      files.push({ name: entry.name, blob: entry });
    } else if (entry.isDirectory) {
      for (const below of await entriesBelow(entry)) pending.push({ entry: below, isNamed: false });
    } else if (isNamed || isBundleName(entry.name)) {
      const blob = await new Promise((resolve, reject) => entry.file(resolve, reject));
      files.push({ name: entry.fullPath.replace(/^\//, ""), blob });
    }
  }
  return files;
}

async function entriesBelow(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    found.push(...some);
  }
}

/* Return files that were chosen. */
export const chosenFiles = (files) =>
  [...files].map((file) => ({ name: file.webkitRelativePath || file.name, blob: file }));

/* Return the files of a folder that was chosen which may be bundles. */
export const chosenFolder = (files) => chosenFiles(files).filter(({ name }) => isBundleName(name));

const isBundleName = (name) => name.toLowerCase().endsWith(".json");
