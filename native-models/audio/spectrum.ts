/** Power spectra of sound, for the report: what a person would hear as tones, noise and silence. */

/** Powers of the first half of the frequencies of `frame` under a Hann window (radix-2 FFT; length a power of two). */
export function power(frame: Float32Array): Float64Array {
  const n = frame.length
  const re = Float64Array.from(frame, (x, i) => x * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n)))
  const im = new Float64Array(n)
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      const held = re[i] as number
      re[i] = re[j] as number
      re[j] = held
    }
  }
  for (let size = 2; size <= n; size *= 2)
    for (let from = 0; from < n; from += size)
      for (let k = 0; k < size / 2; k++) {
        const [a, b] = [from + k, from + k + size / 2]
        const [c, s] = [Math.cos((2 * Math.PI * k) / size), -Math.sin((2 * Math.PI * k) / size)]
        const [br, bi] = [re[b] as number, im[b] as number]
        const [tr, ti] = [br * c - bi * s, br * s + bi * c]
        const [ar, ai] = [re[a] as number, im[a] as number]
        re[a] = ar + tr
        im[a] = ai + ti
        re[b] = ar - tr
        im[b] = ai - ti
      }
  return Float64Array.from({ length: n / 2 }, (_, k) => (re[k] as number) ** 2 + (im[k] as number) ** 2)
}

/** Energy by pitch class (C = 0) and the share of it within 25 cents of the twelve-tone grid (A = 440 Hz). */
export type Tones = { onGrid: number; classes: number[] }

/** Tones of a sound between 110 and 1760 Hz, in frames of half a second. By chance half of the energy is on the grid. */
export function tones(samples: Float32Array, rate: number): Tones {
  const size = 4096
  const classes = new Array<number>(12).fill(0)
  let [on, all] = [0, 0]
  for (let at = 0; at + size <= samples.length; at += size / 2) {
    const p = power(samples.subarray(at, at + size))
    // Peaks alone: between the bins of one, a line of the window's own shape would count as off the grid.
    for (let k = 2; k < p.length - 1; k++) {
      const [before, here, after] = [p[k - 1] as number, p[k] as number, p[k + 1] as number]
      if (here <= before || here <= after) continue
      // The peak's place between bins, by a parabola through the logarithms.
      const [a, b, c] = [Math.log(before + 1e-12), Math.log(here + 1e-12), Math.log(after + 1e-12)]
      const hertz = ((k + (0.5 * (a - c)) / (a - 2 * b + c)) * rate) / size
      if (hertz < 110 || hertz > 1760) continue
      const note = 69 + 12 * Math.log2(hertz / 440)
      const nearest = Math.round(note)
      all += here
      if (Math.abs(note - nearest) <= 0.25) on += here
      const pitch = ((nearest % 12) + 12) % 12
      classes[pitch] = (classes[pitch] ?? 0) + here
    }
  }
  return { onGrid: all ? on / all : 0, classes: classes.map((x) => (all ? x / all : 0)) }
}

/** Share of 50 ms frames whose level is under 1 % of full scale. */
export function silentShare(samples: Float32Array, rate: number): number {
  const size = Math.round(rate / 20)
  const frames = Math.floor(samples.length / size)
  let silent = 0
  for (let f = 0; f < frames; f++) {
    const frame = samples.subarray(f * size, (f + 1) * size)
    if (Math.sqrt(frame.reduce((sum, x) => sum + x * x, 0) / size) < 0.01) silent++
  }
  return frames ? silent / frames : 0
}

/** Half the sum of the differences of two distributions: 0 the same, 1 nothing in common. */
export const distance = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + Math.abs(x - (b[i] ?? 0)), 0) / 2

/** A spectrogram as RGB pixels: time to the right, 0 to rate / 2 upwards, 60 dB from dark to light. */
export function spectrogram(samples: Float32Array, width: number, height: number): Uint8Array {
  const size = 512
  const pixels = new Uint8Array(width * height * 3)
  const frame = new Float32Array(size)
  for (let x = 0; x < width; x++) {
    const from = Math.floor((x / width) * (samples.length - size))
    frame.set(samples.subarray(from, from + size))
    const p = power(frame)
    for (let y = 0; y < height; y++) {
      const level = p[Math.floor(((height - 1 - y) / height) * (size / 2))] as number
      const light = Math.min(1, Math.max(0, (10 * Math.log10(level + 1e-9) + 25) / 60))
      const at = (y * width + x) * 3
      pixels[at] = 255 * Math.min(1, 1.6 * light)
      pixels[at + 1] = 255 * light ** 1.5
      pixels[at + 2] = 255 * (0.15 + 0.5 * light * (1 - light) * 2 + 0.55 * light ** 4)
    }
  }
  return pixels
}
