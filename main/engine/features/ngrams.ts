import constants from "../../../contract/constants.json" with { type: "json" }
import type { NGrams } from "../../../contract/pack.ts"

const { seed, multiplier, increment, shift } = constants.ngrams

/** Hash coefficients [longest order, orders], row 0 for the newest byte. */
export function coefficients({ orders }: NGrams): Float32Array {
  const longest = Math.max(...orders)
  const table = new Float32Array(longest * orders.length)
  let state = seed
  orders.forEach((order, column) => {
    for (let row = 0; row < order; row++) {
      // Numerical Recipes' generator; Math.imul keeps the product within 32 bits.
      state = (Math.imul(state, multiplier) + increment) >>> 0
      table[row * orders.length + column] = (state >>> shift) | 1
    }
  })
  return table
}

/** The row after all others: zeros in the prepared table, for places without n-grams. */
export const emptyRow = ({ orders, rows }: NGrams) => orders.length * rows

/**
 * Table rows for places start..end-1: [end - start, orders]. The id at t covers the bytes before t; places before the
 * beginning count as 0.
 */
export function ngramIds(ngrams: NGrams, bytes: Uint8Array, start: number, end = bytes.length): BigInt64Array {
  const { orders, rows } = ngrams
  const table = coefficients(ngrams)
  const ids = new BigInt64Array((end - start) * orders.length)
  for (let t = start; t < end; t++) {
    orders.forEach((order, column) => {
      let hash = 0
      for (let back = 0; back < order && back < t; back++)
        hash += (bytes[t - 1 - back] as number) * (table[back * orders.length + column] as number)
      ids[(t - start) * orders.length + column] = BigInt((hash & (rows - 1)) + column * rows)
    })
  }
  return ids
}
