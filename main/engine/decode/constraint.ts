/**
 * What may not be drawn. A run's text goes on from a person's words: the last of them stays as it was typed, and a
 * character of which the first bytes were given gets its others. Some bytes are never drawn, such as the mark at a
 * document's end.
 */

/** Characters that would go on a word: letters, digits, marks on them, and what joins (’ is an apostrophe). */
const JOINS = /^[\p{L}\p{N}\p{M}\p{Pc}'’ʼ\p{Join_C}\u00ad\u2060]$/u
const WORD = /^[\p{L}\p{N}\p{M}]$/u
/** Scripts that are written without spaces: any letter may follow there. */
const UNSPACED =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]$/u
/** First bytes of characters of which most are not letters: Latin-1 signs, general punctuation and symbols, emoji. */
const SIGNS = [0xc2, 0xe2, 0xf0]

/** Bytes of the character that begins so; 0 where none does (RFC 3629). */
function lengthOf(lead: number): number {
  if (lead < 0x80) return 1
  if (lead < 0xc2 || lead > 0xf4) return 0
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

/** The least and the greatest byte that may follow the first bytes of a character (Unicode, table 3-7). */
function following(bytes: ArrayLike<number>): [number, number] {
  if (bytes.length > 1) return [0x80, 0xbf]
  switch (bytes[0]) {
    case 0xe0:
      return [0xa0, 0xbf]
    case 0xed:
      return [0x80, 0x9f]
    case 0xf0:
      return [0x90, 0xbf]
    case 0xf4:
      return [0x80, 0x8f]
    default:
      return [0x80, 0xbf]
  }
}

/** The bytes at the end of `text` from where its last character begins; empty where that is no UTF-8. */
function lastCharacter(text: Uint8Array): number[] {
  let start = text.length - 1
  while (start > text.length - 4 && start > 0 && ((text[start] as number) & 0xc0) === 0x80) start--
  const bytes = [...text.subarray(Math.max(0, start))]
  const length = lengthOf(bytes[0] ?? 0x80)
  if (length < bytes.length) return []
  for (let i = 1; i < bytes.length; i++) {
    const [least, most] = following(bytes.slice(0, i))
    if ((bytes[i] as number) < least || (bytes[i] as number) > most) return []
  }
  return bytes
}

const character = (bytes: ArrayLike<number>) => new TextDecoder().decode(Uint8Array.from(bytes))
/** Whether a character lacks bytes. */
const isOpen = (begun: readonly number[]) => !begun.length || begun.length < lengthOf(begun[0] as number)

/** One sequence's limits on what is drawn. */
export class Constraint {
  /** Flags [256] of the bytes that are never drawn. */
  readonly never = new Uint8Array(256)
  /** The first bytes of the character that is limited, some of them given; undefined once it is whole. */
  private begun: number[] | undefined
  /** Whether that character must not go on a word. */
  private readonly apart: boolean = false
  /** First bytes that led to a character which would. */
  private readonly refused = new Set<number>()

  /**
   * @param never bytes that are never drawn
   * @param text what the sequence goes on from, where that is text
   */
  constructor(never: Iterable<number>, text?: Uint8Array) {
    for (const byte of never) this.never[byte] = 1
    const last = text ? lastCharacter(text) : []
    if (!last.length) return
    if (isOpen(last)) this.begun = last
    else if (WORD.test(character(last)) && !UNSPACED.test(character(last))) {
      this.apart = true
      this.begun = []
    }
  }

  /** Flags [256] of the bytes that may not be drawn after `drawn`, bytes drawn since the last `push`. */
  barred(drawn: Iterable<number> = []): Uint8Array {
    const begun = this.begun && [...this.begun, ...drawn]
    return begun && isOpen(begun) ? this.barredAfter(begun) : this.never
  }

  /**
   * Where bytes that were drawn without asking for each what is barred break a limit: how many of them may stay while
   * the rest is drawn again; undefined: nowhere.
   */
  brokenAt(drawn: ArrayLike<number>): number | undefined {
    if (!this.begun) return undefined
    const begun = [...this.begun]
    for (let i = 0; i < drawn.length && isOpen(begun); i++) {
      const byte = drawn[i] as number
      if (this.barredAfter(begun)[byte]) {
        if (!this.apart || this.begun.length || i === 0) return i
        // Another first byte, lest a letter's bytes become a sign that nobody meant.
        this.refused.add(drawn[0] as number)
        return 0
      }
      begun.push(byte)
    }
    return undefined
  }

  /** Takes in what was drawn and stays. */
  push(drawn: Iterable<number>): void {
    for (const byte of drawn) {
      this.begun?.push(byte)
      if (this.begun && !isOpen(this.begun)) this.begun = undefined
    }
  }

  /** Flags of the bytes that may not come after the first bytes of the limited character. */
  private barredAfter(begun: readonly number[]): Uint8Array {
    const flags = this.never.slice()
    const [least, most] = following(begun)
    const last = begun.length + 1 === lengthOf(begun[0] ?? 0)
    for (let byte = 0; byte < 256; byte++) {
      const isBarred = begun.length
        ? byte < least || byte > most || (this.apart && last && JOINS.test(character([...begun, byte])))
        : byte < 0x80
          ? JOINS.test(String.fromCharCode(byte))
          : !SIGNS.includes(byte) || this.refused.has(byte)
      if (isBarred) flags[byte] = 1
    }
    return flags
  }
}
