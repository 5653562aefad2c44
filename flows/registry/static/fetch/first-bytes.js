/* Reading no more of a stream than is wanted. */

/* Return the first bytes of a stream as a Blob: all, or at least one more than `most`, after which
   no further ones are read. */
export async function firstBytes(stream, most) {
  const reader = stream.getReader();
  const parts = [];
  for (let size = 0; size <= most; ) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts);
    parts.push(value);
    size += value.length;
  }
  await reader.cancel();
  return new Blob(parts);
}
