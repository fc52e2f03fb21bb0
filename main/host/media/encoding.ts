import { isUtf8 as isUtf8Bytes } from "node:buffer"
import { analyse } from "chardet"
import iconv from "iconv-lite"

/** What bytes say, whatever encoding they are in; or that they are no text. */

/** Bytes from which the encoding is told. */
const SAMPLE = 2 ** 16
/** Share of control characters in a text: a log with a stray NUL is one, a program is not. */
const MOST_CONTROLS = 0.02
/** Share of damaged characters with which a text still counts as UTF-8. */
const MOST_DAMAGED = 0.25

export type Encoding = { label: string; decode: (bytes: Uint8Array) => string }

const standard = (label: string, name = label): Encoding => ({
  label,
  // One replacement character for each maximal damaged part, as the Encoding Standard asks for.
  decode: (bytes) => new TextDecoder(name).decode(bytes),
})
/** Encodings for which Node's own decoder is wrong or has none. */
const legacy = (label: string): Encoding => ({
  label,
  decode: (bytes) => iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), label),
})
const UTF8 = standard("UTF-8")

/** The text of `bytes` and the encoding it was in; undefined where they are no text. */
export function decodeText(bytes: Uint8Array): { text: string; encoding: string; damaged: boolean } | undefined {
  const encoding = encodingOf(bytes)
  if (!encoding) return undefined
  // What DOS and CP/M end a text with.
  let end = bytes.length
  if (!encoding.label.startsWith("UTF-16") && !encoding.label.startsWith("UTF-32"))
    while (end > 0 && bytes[end - 1] === 0x1a) end--
  const given = bytes.subarray(0, end)
  const whole = encoding.label.startsWith("UTF-32") ? given.subarray(0, given.length - (given.length % 4)) : given
  const joined = encoding === UTF8 ? withoutSurrogates(whole) : whole
  const text = encoding.decode(joined).replace(/^\uFEFF/, "")
  const label = joined.length < whole.length ? "CESU-8" : encoding.label
  return { text, encoding: label, damaged: text.includes("\uFFFD") }
}

/** UTF-8 in which old databases and Java wrote a character beyond 16 bits as two surrogates of three bytes each (UTR 26). */
function withoutSurrogates(bytes: Uint8Array): Uint8Array {
  const isPair = (at: number) =>
    bytes[at] === 0xed &&
    ((bytes[at + 1] ?? 0) & 0xf0) === 0xa0 &&
    bytes[at + 3] === 0xed &&
    ((bytes[at + 4] ?? 0) & 0xf0) === 0xb0 &&
    [2, 5].every((i) => ((bytes[at + i] ?? 0) & 0xc0) === 0x80)
  const parts: Uint8Array[] = []
  let from = 0
  for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
    if (!isPair(at)) continue
    const bits = (i: number, mask: number) => (bytes[at + i] as number) & mask
    const character = 0x10000 + (bits(1, 15) << 16) + (bits(2, 63) << 10) + (bits(4, 15) << 6) + bits(5, 63)
    parts.push(bytes.subarray(from, at), new TextEncoder().encode(String.fromCodePoint(character)))
    from = at + 6
    at += 5
  }
  return parts.length ? Buffer.concat([...parts, bytes.subarray(from)]) : bytes
}

/** Letters, digits, spaces and commonest marks of EBCDIC, which has no place in common with ASCII. */
const EBCDIC = (byte: number) =>
  byte === 0x40 || byte === 0x4b || byte === 0x6b || (byte >= 0xf0 && byte <= 0xf9) || isEbcdicLetter(byte)
const isEbcdicLetter = (byte: number) => {
  const [row, column] = [byte >> 4, byte & 15]
  return (
    ((row & 11) >= 8 && (row & 11) <= 9 && column >= 1 && column <= 9) ||
    ((row & 11) === 10 && column >= 2 && column <= 9)
  )
}

/** Whether bytes are a text of a mainframe. */
export function isEbcdic(bytes: Uint8Array): boolean {
  const sample = sampleOf(bytes, 1)
  const share = (is: (byte: number) => boolean) =>
    sample.reduce((sum, byte) => sum + Number(is(byte)), 0) / sample.length
  return (
    sample.length >= 8 &&
    share(EBCDIC) > 0.8 &&
    share(isEbcdicLetter) > 0.4 &&
    share((byte) => byte === 0x40) > 0.04 &&
    share((byte) => byte === 0x20) < 0.01
  )
}

/** The encoding of a text by its mark, its structure and, for the old code pages, by what makes words; or undefined. */
export function encodingOf(bytes: Uint8Array): Encoding | undefined {
  const marked = byMark(bytes)
  if (marked)
    return marked === UTF8 || plausible(marked.decode(sampleOf(bytes, 4)), MOST_DAMAGED) > 0 ? marked : undefined
  const wide = utf32WithoutMark(bytes)
  if (wide) return wide
  const sample = withoutSurrogates(sampleOf(bytes, 1))
  const controls = sample.reduce((sum, byte) => sum + (isControl(byte) ? 1 : 0), 0)
  if (controls > Math.max(1, sample.length * MOST_CONTROLS)) return utf16WithoutMark(bytes)
  if (isNearlyUtf8(sample)) return /\x1b\$[@B]/.test(latin1(sample)) ? standard("ISO-2022-JP", "iso-2022-jp") : UTF8
  // Chinese and Japanese in UTF-16 may have hardly a control character.
  return utf16WithoutMark(bytes, 0.05) ?? codePage(sample)
}

/** Whether the first bytes are text without any doubt: valid UTF-8 without a control character. */
export function isPlainText(head: Uint8Array): boolean {
  const sample = sampleOf(head, 1)
  return sample.every((byte) => !isControl(byte)) && countUtf8(sample).damaged === 0
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")

/** Control characters that no text has: not tab, line ends, page ends, overstrike, DOS's end of file, colors. */
const isControl = (byte: number) => byte < 8 || byte === 127 || (byte > 13 && byte < 32 && byte !== 26 && byte !== 27)

function sampleOf(bytes: Uint8Array, unit: number): Uint8Array {
  return bytes.subarray(0, Math.min(SAMPLE, bytes.length - (bytes.length % unit)))
}

function byMark(bytes: Uint8Array): Encoding | undefined {
  const [a, b, c, d] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return UTF8
  if (a === 0xff && b === 0xfe && c === 0 && d === 0 && isUtf32(bytes, true)) return legacy("UTF-32LE")
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return legacy("UTF-32BE")
  if (a === 0xff && b === 0xfe) return standard("UTF-16LE", "utf-16le")
  if (a === 0xfe && b === 0xff) return standard("UTF-16BE", "utf-16be")
  if (/^\+\/v[89+/]/.test(latin1(bytes.subarray(0, 4)))) return legacy("UTF-7")
  return undefined
}

/** Characters of more than one byte, and damaged places; a character cut at the end of a full sample is neither. */
function countUtf8(sample: Uint8Array): { whole: number; damaged: number } {
  const decoded = new TextDecoder().decode(sample, { stream: sample.length >= SAMPLE - 4 })
  const meant = latin1(sample).split("\xef\xbf\xbd").length - 1
  let [whole, replaced] = [0, 0]
  for (const character of decoded) {
    if (character === "\uFFFD") replaced++
    else if (character > "\x7f") whole++
  }
  return { whole, damaged: replaced - meant }
}

function isNearlyUtf8(sample: Uint8Array): boolean {
  const { whole, damaged } = countUtf8(sample)
  return damaged === 0 || damaged <= whole * MOST_DAMAGED
}

/** Whether bytes are valid UTF-8 throughout, without a mark. */
export function isUtf8(bytes: Uint8Array): boolean {
  return byMark(bytes) === undefined && isUtf8Bytes(bytes)
}

/** Whether hardly a number is none of a character. */
function isUtf32(bytes: Uint8Array, littleEndian: boolean): boolean {
  const sample = sampleOf(bytes, 4)
  const view = new DataView(sample.buffer, sample.byteOffset, sample.length)
  let [wrong, count] = [0, 0]
  for (let at = 0; at < sample.length; at += 4, count++) {
    const number = view.getUint32(at, littleEndian)
    if (number === 0 || number > 0x10ffff || (number >= 0xd800 && number < 0xe000)) wrong++
  }
  return count > 0 && wrong <= count * MOST_CONTROLS
}

function utf32WithoutMark(bytes: Uint8Array): Encoding | undefined {
  if (bytes.length < 8) return undefined
  for (const [label, little] of [
    ["UTF-32LE", true],
    ["UTF-32BE", false],
  ] as const)
    if (isUtf32(bytes, little) && plausible(legacy(label).decode(sampleOf(bytes, 4))) >= 0.02) return legacy(label)
  return undefined
}

/** UTF-16 by what it would say in either order of bytes. `least`: the share of ordinary characters that it takes. */
function utf16WithoutMark(bytes: Uint8Array, least = 0.02): Encoding | undefined {
  if (bytes.length < 4) return undefined
  const sample = sampleOf(bytes, 2)
  const [best] = [standard("UTF-16LE", "utf-16le"), standard("UTF-16BE", "utf-16be")]
    .map((encoding) => ({ encoding, score: plausible(encoding.decode(sample)) }))
    .sort((a, b) => b.score - a.score)
  return best && best.score >= least ? best.encoding : undefined
}

/** Share of spaces, line ends and ordinary punctuation in a text; 0 where more than `most` of it is what no text has. */
function plausible(text: string, most = MOST_CONTROLS): number {
  let [ordinary, wrong, count] = [0, 0, 0]
  for (const character of text) {
    count++
    if (/[ \n\r\t,.、。，　]/.test(character)) ordinary++
    else if (/\w/.test(character)) ordinary += 0.1
    else if (/[\p{Cn}\p{Co}\p{Cs}\uFFFD]/u.test(character)) wrong++
    else if (/\p{Cc}/u.test(character)) wrong++
  }
  if (wrong > Math.max(1, count * most)) return 0
  return (ordinary + 1e-6) / Math.max(1, count)
}

/** chardet's names for what the Encoding Standard decodes with a superset. */
const SUPERSET: Record<string, string> = {
  "ISO-8859-1": "windows-1252",
  "ISO-8859-9": "windows-1254",
  "ISO-8859-8": "windows-1255",
}
/** Code pages that are tried beside chardet's guesses, which are statistics of long texts. */
const TRIED = [
  "windows-1252",
  "windows-1251",
  "windows-1250",
  "ISO-8859-2",
  "windows-1253",
  "ISO-8859-7",
  "windows-1254",
  "windows-1257",
  "KOI8-R",
  "cp866",
  "macroman",
  "cp850",
  "cp852",
  "cp437",
  "windows-874",
  "Shift_JIS",
  "EUC-JP",
  "EUC-KR",
  "Big5",
  "GB18030",
]

/** The old code page in which the words are most like words; undefined where in none they are. */
function codePage(sample: Uint8Array): Encoding | undefined {
  const confidence = new Map(TRIED.map((label, i) => [label, 5 - i / 10]))
  for (const { name, confidence: c } of analyse(Buffer.from(sample))) {
    const label = SUPERSET[name] ?? name
    if (/^(ASCII|UTF|IBM|ISO-2022)/.test(label) || !iconv.encodingExists(label)) continue
    confidence.set(label, Math.max(c, confidence.get(label) ?? 0))
  }
  let best: { label: string; score: number; oddness: number } | undefined
  for (const [label, c] of confidence) {
    const { oddness, bonus } = wordiness(legacy(label).decode(sample))
    // chardet is sure of itself also where it has seen three letters.
    const score = c / 3 + bonus - 80 * oddness
    if (!best || score > best.score) best = { label, score, oddness }
  }
  return best && best.oddness < 0.5 ? legacy(best.label) : undefined
}

/** Alphabets that no word mixes. */
const SCRIPTS = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Hebrew}/u,
  /\p{Script=Arabic}/u,
  /\p{Script=Thai}/u,
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u,
]
const scriptOf = (character: string) => SCRIPTS.findIndex((script) => script.test(character))
const isLetter = (character: string | undefined) => character !== undefined && /\p{L}/u.test(character)
const isLower = (character = "") => /\p{Ll}/u.test(character)
const isUpper = (character = "") => /\p{Lu}/u.test(character)

/** How little a decoded text looks like words, a number from 0 on for each character beyond ASCII; and signs of a script. */
function wordiness(text: string): { oddness: number; bonus: number } {
  const characters = [...text.slice(0, 8192)]
  let [odd, beyond, kana, thai, marks, tones] = [0, 0, 0, 0, 0, 0]
  characters.forEach((character, i) => {
    if (character <= "\x7f") return
    beyond++
    const [before, after] = [characters[i - 1], characters[i + 1]]
    const beside = [before, after].filter(isLetter) as string[]
    if (/[\x80-\x9f\uFFFD\p{Cn}\p{Co}]/u.test(character)) odd += 4
    else if (/[\u2500-\u259f\uff61-\uff9f]/.test(character)) odd += 1
    else if (/[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]/.test(character)) {
      // A vowel sign or a tone of Thai stands above or below a consonant.
      marks++
      if (character > "\u0e46") tones++
      if (!/[\u0e01-\u0e2e\u0e31\u0e34-\u0e3a]/.test(before ?? "")) odd += 3
    } else if (isLetter(character)) {
      const script = scriptOf(character)
      if (/[\u3040-\u30ff]/.test(character)) kana++
      if (/[\u0e00-\u0e7f]/.test(character)) thai++
      for (const next of beside) if (script >= 0 && scriptOf(next) >= 0 && scriptOf(next) !== script) odd += 1
      if (isUpper(character) && isLower(before)) odd += 1.5
      if (isUpper(character) && isUpper(before) && isLower(after)) odd += 1
      if (isLower(character) && isUpper(after)) odd += 1.5
    } else if (/[‚„†‡‰¡¿‹«]/.test(character)) odd += isLetter(before) ? 2 : 0
    else if (/[–—…]/.test(character)) odd += beside.length === 2 ? 1 : 0
    else if (/[\p{S}\p{No}¶§›»]/u.test(character) && !/[°™®©´]/.test(character)) odd += beside.length
  })
  if (!beyond) return { oddness: 0, bonus: 0 }
  // Russian in KOI8 would have vowel signs too, and hardly a tone.
  const isThai = thai > 12 && thai > beyond / 2 && marks > 0.08 * beyond && tones > 0.02 * beyond
  const bonus = (kana > beyond / 3 ? 20 : 0) + (isThai ? 20 : 0)
  return { oddness: odd / beyond, bonus }
}
