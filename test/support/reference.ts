import { expect } from "vitest"

/** What is compared with numbers that another implementation gave. */

/** Stored fp32 as numbers. */
export const floats = (data: Uint8Array | undefined) => new Float32Array(new Uint8Array(data ?? []).buffer)

/** The largest difference between two rows, which must be of one length. */
export function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length)
  let gap = 0
  for (let i = 0; i < a.length; i++) gap = Math.max(gap, Math.abs((a[i] as number) - (b[i] as number)))
  return gap
}

/** log p(byte) under a row of logits. */
export function logShare(logits: Float32Array, byte: number): number {
  const top = Math.max(...logits)
  return (logits[byte] as number) - top - Math.log([...logits].reduce((sum, l) => sum + Math.exp(l - top), 0))
}
