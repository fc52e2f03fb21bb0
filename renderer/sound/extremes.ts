import { type Sound, sampleBytes } from "../../contract/pack.ts"
import { sampleAt } from "../../contract/samples.ts"

/** Samples of a block, of which the lowest and the highest are kept. */
const BLOCK = 64

/** The lowest and highest samples of any stretch of a sound that grows: every sample is looked at once. */
export class Extremes {
  private lows = new Float32Array(1024)
  private highs = new Float32Array(1024)
  /** Blocks that are whole. */
  private blocks = 0

  constructor(private readonly sound: Sound) {}

  /** Takes in what is new in `bytes`, which begin as before. */
  grow(bytes: Uint8Array): void {
    const whole = Math.floor(bytes.length / sampleBytes(this.sound) / BLOCK)
    if (whole > this.lows.length) {
      const [lows, highs] = [new Float32Array(2 * whole), new Float32Array(2 * whole)]
      lows.set(this.lows)
      highs.set(this.highs)
      Object.assign(this, { lows, highs })
    }
    for (; this.blocks < whole; this.blocks++) {
      const from = this.blocks * BLOCK
      const [low, high] = this.looked(bytes, from, from + BLOCK)
      this.lows[this.blocks] = low
      this.highs[this.blocks] = high
    }
  }

  /** Lowest and highest of samples from..to of `bytes`, up to which it has grown. */
  of(bytes: Uint8Array, from: number, to: number): [number, number] {
    const [first, last] = [Math.ceil(from / BLOCK), Math.min(this.blocks, Math.floor(to / BLOCK))]
    if (last <= first) return this.looked(bytes, from, to)
    let [low, high] = this.looked(bytes, from, first * BLOCK)
    const [otherLow, otherHigh] = this.looked(bytes, last * BLOCK, to)
    low = Math.min(low, otherLow)
    high = Math.max(high, otherHigh)
    for (let block = first; block < last; block++) {
      low = Math.min(low, this.lows[block] as number)
      high = Math.max(high, this.highs[block] as number)
    }
    return [low, high]
  }

  private looked(bytes: Uint8Array, from: number, to: number): [number, number] {
    let [low, high] = [1, -1]
    for (let i = from; i < to; i++) {
      const y = sampleAt(bytes, i, this.sound)
      low = Math.min(low, y)
      high = Math.max(high, y)
    }
    return [low, high]
  }
}
