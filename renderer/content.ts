/** A piece of text to lay out at once: bytes start..end of the content. */
export type Chunk = { start: number; end: number; text: string }

/** Bytes after which a chunk ends at the next line end, and after which it ends at any character. */
const SOFT = 800
const HARD = 4000

/**
 * The growing bytes of one item with the bits of each, and their text in chunks. UTF-8 is decoded as it comes: a
 * character whose bytes are not all there yet is not shown yet.
 */
export class Content {
  private array = new Uint8Array(4096)
  private bitArray = new Float32Array(4096)
  length = 0
  readonly chunks: Chunk[] = []
  private decoder = new TextDecoder("utf-8")
  private open: Chunk = { start: 0, end: 0, text: "" }

  get bytes(): Uint8Array {
    return this.array.subarray(0, this.length)
  }

  /** Bits per byte; negative where the byte was given. */
  get bits(): Float32Array {
    return this.bitArray.subarray(0, this.length)
  }

  append(bytes: Uint8Array, bits: ArrayLike<number>): void {
    const needed = this.length + bytes.length
    if (needed > this.array.length) {
      const capacity = Math.max(needed, 2 * this.array.length)
      const array = new Uint8Array(capacity)
      array.set(this.bytes)
      const bitArray = new Float32Array(capacity)
      bitArray.set(this.bits)
      this.array = array
      this.bitArray = bitArray
    }
    this.array.set(bytes, this.length)
    this.bitArray.set(bits, this.length)
    for (let from = 0; from < bytes.length; ) {
      const to = this.chunkEnd(bytes, from)
      this.open.text += this.decoder.decode(bytes.subarray(from, to), { stream: true })
      this.open.end = this.length + to
      if (this.chunks.at(-1) !== this.open) this.chunks.push(this.open)
      const full =
        this.open.end - this.open.start >= SOFT && (bytes[to - 1] === 10 || this.open.end - this.open.start >= HARD)
      if (full) this.open = { start: this.open.end, end: this.open.end, text: "" }
      from = to
    }
    this.length = needed
  }

  /** Where the open chunk ends within new bytes: after a line end past SOFT, at HARD, or with the bytes. */
  private chunkEnd(bytes: Uint8Array, from: number): number {
    const begin = this.length - this.open.start
    for (let i = from; i < bytes.length; i++) {
      const size = begin + i + 1
      if ((size >= SOFT && bytes[i] === 10) || size >= HARD) return i + 1
    }
    return bytes.length
  }
}
