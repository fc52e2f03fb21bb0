import { z } from "zod"

/** What a generation's length is counted in. */
export const LengthUnit = z.enum(["bytes", "characters"])
export type LengthUnit = z.infer<typeof LengthUnit>

/** The characters (code points) of UTF-8 as its bytes come (RFC 3629). A byte that belongs to none counts as one. */
export class Characters {
  /** Characters that have begun. */
  count = 0
  /** Bytes that the last one still lacks. */
  private missing = 0

  /** Whether the last character has all of its bytes. */
  get isWhole(): boolean {
    return this.missing === 0
  }

  /** Whether a byte would belong to the character that has begun. */
  continues(byte: number): boolean {
    return this.missing > 0 && (byte & 0xc0) === 0x80
  }

  push(byte: number): void {
    if (this.continues(byte)) {
      this.missing--
      return
    }
    this.count++
    this.missing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0
  }
}

/** Characters that begin in valid UTF-8, wherever it is cut. */
export function charactersBegun(bytes: Iterable<number>): number {
  let count = 0
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) count++
  return count
}

/** How long bytes are in a unit. */
export const lengthIn = (unit: LengthUnit, bytes: Uint8Array | number[]) =>
  unit === "characters" ? charactersBegun(bytes) : bytes.length

/** Whether a word goes on where `before` ends and `after` begins. */
export const isWithinWord = (before: string, after: string) =>
  /[\p{L}\p{N}\p{M}]$/u.test(before) && /^[\p{L}\p{N}\p{M}]/u.test(after)
