import { Characters, type LengthUnit } from "../../../contract/characters.ts"

/** How much of what is decoded a variation takes: `length` bytes, or `length` characters, the last one whole. */
export class StoppingCriteria {
  private taken = 0
  private ended = false
  private readonly characters: Characters | undefined

  /** `before`: bytes that came before, whose last character may still lack some. */
  constructor(
    private readonly length: number,
    unit: LengthUnit,
    before: Uint8Array,
  ) {
    if (unit === "bytes") return
    this.characters = new Characters()
    for (const byte of before.subarray(-3)) this.characters.push(byte)
    this.characters.count = 0
  }

  get isDone(): boolean {
    return this.ended || (this.taken >= this.length && (this.characters?.isWhole ?? true))
  }

  /** How many of the next bytes it takes. */
  take(bytes: Uint8Array): number {
    for (const [i, byte] of bytes.entries()) {
      if (this.isDone) return i
      if (this.taken >= this.length && !this.characters?.continues(byte)) {
        this.ended = true
        return i
      }
      this.characters?.push(byte)
      this.taken = this.characters?.count ?? this.taken + 1
    }
    return bytes.length
  }

  /** Takes nothing more. */
  end(): void {
    this.ended = true
  }
}
