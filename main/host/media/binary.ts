import type { Source } from "./source.ts"

/** Reads numbers out of a source at any place; what lies beyond its end is undefined, never an exception. */
export class BinaryReader {
  constructor(
    readonly source: Source,
    readonly littleEndian = false,
  ) {}

  get length(): number {
    return this.source.length
  }

  /** Up to `count` bytes from `at` on; fewer at the end. */
  bytes(at: number, count: number): Buffer {
    if (!(at >= 0) || at >= this.length || count <= 0) return Buffer.alloc(0)
    const piece = this.source.subarray(at, Math.min(this.length, at + count))
    return Buffer.from(piece.buffer, piece.byteOffset, piece.length)
  }

  /** Bytes as Latin-1, such as the name of a chunk. */
  name(at: number, count = 4): string {
    return this.bytes(at, count).toString("latin1")
  }

  private view(at: number, count: number): DataView | undefined {
    const found = this.bytes(at, count)
    return found.length === count ? new DataView(found.buffer, found.byteOffset, count) : undefined
  }

  u8(at: number): number | undefined {
    return this.view(at, 1)?.getUint8(0)
  }
  u16(at: number): number | undefined {
    return this.view(at, 2)?.getUint16(0, this.littleEndian)
  }
  u32(at: number): number | undefined {
    return this.view(at, 4)?.getUint32(0, this.littleEndian)
  }
  /** As a number: exact up to 2^53, which no file reaches. */
  u64(at: number): number | undefined {
    const found = this.view(at, 8)?.getBigUint64(0, this.littleEndian)
    return found === undefined ? undefined : Number(found)
  }
  f64(at: number): number | undefined {
    return this.view(at, 8)?.getFloat64(0, this.littleEndian)
  }
}
