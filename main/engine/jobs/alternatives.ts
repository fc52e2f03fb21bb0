/**
 * The `count` likeliest bytes at each place and their share.
 * @param logits [places, 256]
 * @returns `count` bytes a place, likeliest first, and their probabilities
 */
export function likeliest(logits: Float32Array, count: number) {
  const places = logits.length / 256
  const bytes = new Uint8Array(places * count)
  const shares = new Float32Array(places * count)
  for (let place = 0; place < places; place++) {
    const row = logits.subarray(place * 256, (place + 1) * 256)
    const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
    const sum = row.reduce((a, b) => a + Math.exp(b - top), 0)
    const order = Array.from(row.keys()).sort((a, b) => (row[b] as number) - (row[a] as number) || a - b)
    for (let i = 0; i < count; i++) {
      const byte = order[i] as number
      bytes[place * count + i] = byte
      shares[place * count + i] = Math.exp((row[byte] as number) - top) / sum
    }
  }
  return { bytes, shares }
}
