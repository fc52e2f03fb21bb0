/** A piece of text to lay out at once: bytes start..end of the content. */
export type Chunk = { start: number; end: number; text: string }

/** Bytes after which a chunk ends at the next line end, at the next space, and at any byte. */
const SOFT = 800
const LONG = 4000
const LONGEST = 32_000

/**
 * The growing bytes of one item with the bits of each, and their text in chunks. UTF-8 is decoded as it comes: a
 * character whose bytes are not all there yet is not shown yet.
 */
export class Content {
  private array = new Uint8Array(4096)
  private bitArray = new Float32Array(4096)
  /** Sum of bits, and number of bytes that have any, before each byte: a mean over any stretch costs the same. */
  private sums = new Float64Array(4097)
  private counts = new Uint32Array(4097)
  length = 0
  readonly chunks: Chunk[] = []
  private decoder = new TextDecoder("utf-8")
  private open: Chunk = { start: 0, end: 0, text: "" }

  /** `text`: whether the bytes are to be read as text. */
  constructor(private readonly text = true) {}

  get bytes(): Uint8Array {
    return this.array.subarray(0, this.length)
  }

  /** Bits per byte; negative where the byte was given. */
  get bits(): Float32Array {
    return this.bitArray.subarray(0, this.length)
  }

  /** Mean bits of bytes from..to; undefined where none of them was generated or scored. */
  meanBits(from: number, to: number): number | undefined {
    const end = Math.min(to, this.length)
    const count = (this.counts[end] as number) - (this.counts[from] as number)
    return count ? ((this.sums[end] as number) - (this.sums[from] as number)) / count : undefined
  }

  append(bytes: Uint8Array, bits: ArrayLike<number>): void {
    const needed = this.length + bytes.length
    if (needed > this.array.length) {
      const capacity = Math.max(needed, 2 * this.array.length)
      const array = new Uint8Array(capacity)
      array.set(this.bytes)
      const bitArray = new Float32Array(capacity)
      bitArray.set(this.bits)
      const sums = new Float64Array(capacity + 1)
      sums.set(this.sums.subarray(0, this.length + 1))
      const counts = new Uint32Array(capacity + 1)
      counts.set(this.counts.subarray(0, this.length + 1))
      Object.assign(this, { array, bitArray, sums, counts })
    }
    this.array.set(bytes, this.length)
    this.bitArray.set(bits, this.length)
    for (let i = this.length; i < needed; i++) {
      const b = this.bitArray[i] as number
      this.sums[i + 1] = (this.sums[i] as number) + Math.max(0, b)
      this.counts[i + 1] = (this.counts[i] as number) + Number(b >= 0)
    }
    for (let from = 0; this.text && from < bytes.length; ) {
      const to = this.chunkEnd(bytes, from)
      this.open.text += this.decoder.decode(bytes.subarray(from, to), { stream: true })
      this.open.end = this.length + to
      if (this.chunks.at(-1) !== this.open) this.chunks.push(this.open)
      if (endsAfter(this.open.end - this.open.start, bytes[to - 1]))
        this.open = { start: this.open.end, end: this.open.end, text: "" }
      from = to
    }
    this.length = needed
  }

  /** Where the open chunk ends within new bytes: where it may, or with the bytes. */
  private chunkEnd(bytes: Uint8Array, from: number): number {
    const begin = this.length - this.open.start
    for (let i = from; i < bytes.length; i++) {
      if (endsAfter(begin + i + 1, bytes[i])) return i + 1
    }
    return bytes.length
  }
}

/** Whether a chunk of `size` bytes may end after `last`: chunks begin new lines on the screen, so no word is cut. */
function endsAfter(size: number, last: number | undefined): boolean {
  return (size >= SOFT && last === 10) || (size >= LONG && last === 32) || size >= LONGEST
}
