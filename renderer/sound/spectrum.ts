/** What a canvas shows of a sound beside its wave: loudness by frequency, as columns of pixels. */

const SIZE = 512
/** Samples before and after a place that its loudness is told from. */
export const LOOKED = SIZE / 2
const WINDOW = Float32Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE))
const COS = Float32Array.from({ length: SIZE / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / SIZE))
const SIN = Float32Array.from({ length: SIZE / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / SIZE))

/** Loudness 0..1 (60 dB) of the frequencies 0..rate / 2 in the samples around `at`: [SIZE / 2], lowest first. */
export function loudness(samples: Float32Array, at: number): Float32Array {
  const re = Float32Array.from(WINDOW, (w, i) => w * (samples[at - SIZE / 2 + i] ?? 0))
  const im = new Float32Array(SIZE)
  transform(re, im)
  return Float32Array.from({ length: SIZE / 2 }, (_, k) => {
    const power = (re[k] as number) ** 2 + (im[k] as number) ** 2
    return Math.max(0, Math.min(1, (10 * Math.log10(power + 1e-9) + 25) / 60))
  })
}

/** A Fourier transform in place, radix 2. */
function transform(re: Float32Array, im: Float32Array): void {
  for (let i = 1, j = 0; i < SIZE; i++) {
    let bit = SIZE >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      const held = re[i] as number
      re[i] = re[j] as number
      re[j] = held
    }
  }
  for (let size = 2; size <= SIZE; size *= 2)
    for (let from = 0; from < SIZE; from += size)
      for (let k = 0; k < size / 2; k++) {
        const turn = (k * SIZE) / size
        const [a, b] = [from + k, from + k + size / 2]
        const [br, bi] = [re[b] as number, im[b] as number]
        const [c, s] = [COS[turn] as number, SIN[turn] as number]
        const [tr, ti] = [br * c - bi * s, br * s + bi * c]
        re[b] = (re[a] as number) - tr
        im[b] = (im[a] as number) - ti
        re[a] = (re[a] as number) + tr
        im[a] = (im[a] as number) + ti
      }
}
