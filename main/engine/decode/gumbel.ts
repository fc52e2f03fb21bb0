/**
 * Gumbel noise as a function of seed, variation and byte position, so that a byte's noise does not depend on where a
 * run began: the same seed gives the same draw after a stop, a fork or a restart.
 */

/** A finaliser that spreads every bit of a 32-bit number over all of them (MurmurHash3's). */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/** Fills `out` with the noise of each of the 256 bytes in one draw. */
export function gumbel(out: Float32Array, seed: number, variation: number, position: number): void {
  let state = mix(seed ^ mix(variation + 0x9e3779b9) ^ mix(mix(position) + Math.floor(position / 2 ** 32)))
  for (let byte = 0; byte < out.length; byte++) {
    state = (state + 0x9e3779b9) >>> 0
    // The half keeps the number off 0 and 1, where the logarithm ends.
    const uniform = (mix(state) + 0.5) / 2 ** 32
    out[byte] = -Math.log(-Math.log(uniform))
  }
}
