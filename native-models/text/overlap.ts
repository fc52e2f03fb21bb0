/**
 * The longest run of bytes that stands both in one of `samples` and in `training`: a search for the length by halves,
 * each step one pass with a rolling hash (Rabin and Karp) whose hits are compared byte by byte.
 */
export function longestOverlap(samples: Uint8Array[], training: Uint8Array): Uint8Array {
  let best: Uint8Array = new Uint8Array()
  let low = 1
  let high = Math.max(0, ...samples.map((s) => s.length))
  while (low <= high) {
    const length = (low + high + 1) >> 1
    const found = overlapOf(length, samples, training)
    if (found) {
      best = found
      low = length + 1
    } else high = length - 1
  }
  return best
}

const BASE = 0x01000193
const BITS = 22

function overlapOf(length: number, samples: Uint8Array[], training: Uint8Array): Uint8Array | undefined {
  let leading = 1 // BASE^(length - 1)
  for (let i = 1; i < length; i++) leading = Math.imul(leading, BASE)
  const maybe = new Uint8Array(1 << BITS)
  const places = new Map<number, Uint8Array[]>()
  const roll = (bytes: Uint8Array, visit: (hash: number, at: number) => Uint8Array | undefined) => {
    let hash = 0
    for (let i = 0; i < bytes.length; i++) {
      if (i >= length) hash = (hash - Math.imul(bytes[i - length] as number, leading)) | 0
      hash = (Math.imul(hash, BASE) + (bytes[i] as number)) | 0
      if (i >= length - 1) {
        const found = visit(hash, i - length + 1)
        if (found) return found
      }
    }
    return undefined
  }
  for (const sample of samples)
    roll(sample, (hash, at) => {
      maybe[hash >>> (32 - BITS)] = 1
      places.set(hash, [...(places.get(hash) ?? []), sample.subarray(at, at + length)])
      return undefined
    })
  return roll(training, (hash, at) => {
    if (!maybe[hash >>> (32 - BITS)]) return undefined
    return places.get(hash)?.find((run) => run.every((byte, i) => byte === training[at + i]))
  })
}
