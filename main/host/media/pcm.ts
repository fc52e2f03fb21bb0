import { BinaryReader } from "./binary.ts"
import type { Source } from "./source.ts"

/** Sounds that are stored as plain numbers: WAV, RF64, Wave64, AIFF, AU and CAF, by their headers and nothing else. */

/** How a sample is stored. */
type Encoding = "unsigned" | "signed" | "float" | "mu-law" | "a-law"

/** Where the samples of a file lie and what they are like. */
export type PcmLayout = {
  rate: number
  channels: number
  encoding: Encoding
  /** Bytes of one sample of one channel. */
  width: number
  littleEndian: boolean
  /** First byte of the samples, and how many bytes of them there are in the file. */
  at: number
  length: number
}

/** A header that was understood, but of which the samples cannot be read: the reason as a clause. */
export type PcmProblem = { problem: string }
export type PcmContainer = "wav" | "w64" | "aiff" | "au" | "caf"

/** Chunks of a file that are looked at; more than any program writes. */
const MOST_CHUNKS = 4096
/** Channels of a sound that is read. */
const MOST_CHANNELS = 64
/** Samples a second that are believed. */
export const RATES = { min: 1000, max: 768_000 }

/** Which of these containers a file is, by its first bytes. */
export function pcmContainer(source: Source): PcmContainer | undefined {
  const file = new BinaryReader(source)
  const [first, third] = [file.name(0), file.name(8)]
  if (["RIFF", "RIFX", "RF64", "BW64"].includes(first) && third === "WAVE") return "wav"
  if (first === "riff" && file.name(24) === "wave") return "w64"
  if (first === "FORM" && (third === "AIFF" || third === "AIFC")) return "aiff"
  if (first === "caff") return "caf"
  if ((first === ".snd" || first === "dns.") && file.length >= 24) return "au"
  return undefined
}

/** The layout of a file of that container, checked; or what is wrong with it. */
export function pcmLayout(source: Source, container: PcmContainer): PcmLayout | PcmProblem {
  const found = { wav: wav, w64: wave64, aiff, au, caf }[container](source)
  if ("problem" in found) return found
  const { rate, channels, encoding, width } = found
  if (!Number.isInteger(channels) || channels < 1 || channels > MOST_CHANNELS)
    return { problem: `it says that it has ${channels} channels` }
  const problem = rateProblem(rate)
  if (problem) return { problem }
  const widths: Record<Encoding, number[]> = {
    unsigned: [1],
    signed: [1, 2, 3, 4],
    float: [4, 8],
    "mu-law": [1],
    "a-law": [1],
  }
  if (!widths[encoding].includes(width)) return { problem: `samples of ${8 * width} bits cannot be read` }
  const frame = width * channels
  const length = Math.max(0, Math.min(found.length, source.length - found.at))
  return { ...found, length: length - (length % frame) }
}

/** What is wrong with a rate, as a clause; undefined where it can be read. */
export function rateProblem(rate: number): string | undefined {
  if (rate >= RATES.min && rate <= RATES.max) return undefined
  const said = Number.isFinite(rate) && Math.abs(rate) < 1e15 ? String(Math.round(rate)) : "an impossible number of"
  return `it says that it has ${said} samples a second`
}

/** Samples from frame `from` to frame `to`, one array a channel, in -1..1; what is no number is silence. */
export function readPcm(source: Source, layout: PcmLayout, from: number, to: number): Float32Array[] {
  const { channels, width, at } = layout
  const frame = width * channels
  const piece = source.subarray(at + from * frame, at + to * frame)
  const frames = Math.floor(piece.length / frame)
  const view = new DataView(piece.buffer, piece.byteOffset, piece.length)
  const sample = sampleReader(layout, view)
  return Array.from({ length: channels }, (_, channel) => {
    const samples = new Float32Array(frames)
    for (let i = 0; i < frames; i++) {
      const x = sample((i * channels + channel) * width)
      samples[i] = Number.isFinite(x) ? x : 0
    }
    return samples
  })
}

function sampleReader({ encoding, width, littleEndian }: PcmLayout, view: DataView): (at: number) => number {
  if (encoding === "unsigned") return (at) => (view.getUint8(at) - 128) / 128
  if (encoding === "mu-law") return (at) => muLaw(view.getUint8(at)) / 32768
  if (encoding === "a-law") return (at) => aLaw(view.getUint8(at)) / 32768
  if (encoding === "float")
    return width === 4 ? (at) => view.getFloat32(at, littleEndian) : (at) => view.getFloat64(at, littleEndian)
  if (width === 1) return (at) => view.getInt8(at) / 128
  if (width === 2) return (at) => view.getInt16(at, littleEndian) / 32768
  if (width === 4) return (at) => view.getInt32(at, littleEndian) / 2 ** 31
  const [high, low] = littleEndian ? [1, 0] : [0, 2]
  return (at) => ((view.getInt16(at + high, littleEndian) << 8) | view.getUint8(at + low)) / 2 ** 23
}

/** G.711's curves as 16-bit numbers (ITU-T G.711, tables 1 and 2). */
function muLaw(byte: number): number {
  const b = ~byte & 0xff
  const amount = ((((b & 0x0f) << 3) + 0x84) << ((b & 0x70) >> 4)) - 0x84
  return b & 0x80 ? -amount : amount
}
function aLaw(byte: number): number {
  const b = byte ^ 0x55
  const exponent = (b & 0x70) >> 4
  const mantissa = ((b & 0x0f) << 4) + (exponent ? 0x108 : 8)
  const amount = exponent > 1 ? mantissa << (exponent - 1) : mantissa
  return b & 0x80 ? amount : -amount
}

type Found = PcmLayout | PcmProblem

/** The chunks of a RIFF or FORM file: name, first byte of the data, length as it is said. */
function* chunksOf(file: BinaryReader): Generator<{ name: string; at: number; length: number }> {
  for (let at = 12, count = 0; at + 8 <= file.length && count < MOST_CHUNKS; count++) {
    const [name, length] = [file.name(at), file.u32(at + 4) ?? 0]
    yield { name, at: at + 8, length }
    const end = at + 8 + length
    // A chunk of odd length has a byte more, which some programs forget.
    at = length % 2 && !(isName(file.name(end)) && !isName(file.name(end + 1))) ? end + 1 : end
  }
}
const isName = (name: string) => /^[\x20-\x7e]{4}$/.test(name)

/** The text of a WAV's comment (RIFF INFO, ICMT). */
export function wavComment(source: Source): string | undefined {
  const file = new BinaryReader(source, true)
  for (const { name, at, length } of chunksOf(file)) {
    if (name === "data") return undefined
    if (name !== "LIST" || file.name(at) !== "INFO") continue
    const end = Math.min(at + length, file.length)
    for (let inside = at + 4, count = 0; inside + 8 <= end && count < MOST_CHUNKS; count++) {
      const size = file.u32(inside + 4) ?? 0
      if (file.name(inside) === "ICMT") return file.bytes(inside + 8, Math.min(size, 65536)).toString("utf8")
      inside += 8 + size + (size % 2)
    }
  }
  return undefined
}

/** RIFF WAVE and its 64-bit form (EBU Tech 3306). */
function wav(source: Source): Found {
  const first = new BinaryReader(source).name(0)
  const file = new BinaryReader(source, first !== "RIFX")
  let format: Format | PcmProblem | undefined
  let longData: number | undefined
  for (const { name, at, length } of chunksOf(file)) {
    if (name === "ds64") longData = file.u64(at + 8)
    if (name === "fmt ") format = waveFormat(file, at, length)
    if (name !== "data") continue
    if (!format) return { problem: "its description is missing" }
    if ("problem" in format) return format
    // Recorders that were cut off leave 0 or the largest number there is.
    const unknown = length === 0 || length === 0xffffffff
    const size = length === 0xffffffff && longData ? longData : unknown ? source.length - at : length
    return { ...format, at, length: size }
  }
  return { problem: "it has no samples" }
}

type Format = Omit<PcmLayout, "at" | "length">

/** A WAVE format chunk. */
function waveFormat(file: BinaryReader, at: number, length: number): Format | PcmProblem {
  const [tag, channels, rate, align, bits] = [
    file.u16(at) ?? 0,
    file.u16(at + 2) ?? 0,
    file.u32(at + 4) ?? 0,
    file.u16(at + 12) ?? 0,
    file.u16(at + 14) ?? 0,
  ]
  const kind = tag === 0xfffe && length >= 26 ? (file.u16(at + 24) ?? 0) : tag
  const width = channels && align % channels === 0 && align ? align / channels : Math.ceil(bits / 8)
  const { littleEndian } = file
  const common = { rate, channels, width, littleEndian }
  if (kind === 1) return { ...common, encoding: width === 1 ? "unsigned" : "signed" }
  if (kind === 3) return { ...common, encoding: "float" }
  if (kind === 6) return { ...common, width: 1, encoding: "a-law" }
  if (kind === 7) return { ...common, width: 1, encoding: "mu-law" }
  const names: Record<number, string> = { 2: "ADPCM", 17: "ADPCM", 49: "GSM", 85: "MP3", 255: "AAC" }
  return { problem: `its samples are compressed (${names[kind] ?? `kind ${kind}`})` }
}

/** Sony's Wave64: chunks have names of 16 bytes and lengths of 8, which count themselves. */
function wave64(source: Source): Found {
  const file = new BinaryReader(source, true)
  let format: Format | PcmProblem | undefined
  for (let at = 40, count = 0; at + 24 <= file.length && count < MOST_CHUNKS; count++) {
    const [name, size] = [file.name(at), file.u64(at + 16) ?? 0]
    if (name === "fmt ") format = waveFormat(file, at + 24, size - 24)
    if (name === "data") {
      if (!format) return { problem: "its description is missing" }
      if ("problem" in format) return format
      return { ...format, at: at + 24, length: size > 24 ? size - 24 : source.length }
    }
    if (size < 24) break
    at += size + ((8 - (size % 8)) % 8)
  }
  return { problem: "it has no samples" }
}

/** AIFF and AIFF-C (Apple, 1991). */
function aiff(source: Source): Found {
  const file = new BinaryReader(source)
  const isCompressed = file.name(8) === "AIFC"
  let format: Format | undefined
  for (const { name, at, length } of chunksOf(file)) {
    if (name === "COMM") {
      const [channels, bits] = [file.u16(at) ?? 0, file.u16(at + 6) ?? 0]
      const rate = extended(file, at + 8)
      const type = isCompressed && length >= 22 ? file.name(at + 18) : "NONE"
      const width = Math.ceil(bits / 8)
      const known: Record<string, Partial<PcmLayout>> = {
        NONE: {},
        twos: {},
        sowt: { littleEndian: true },
        "raw ": { encoding: "unsigned", width: 1 },
        in24: { width: 3 },
        in32: { width: 4 },
        fl32: { encoding: "float", width: 4 },
        FL32: { encoding: "float", width: 4 },
        fl64: { encoding: "float", width: 8 },
        FL64: { encoding: "float", width: 8 },
        ulaw: { encoding: "mu-law", width: 1 },
        ULAW: { encoding: "mu-law", width: 1 },
        alaw: { encoding: "a-law", width: 1 },
        ALAW: { encoding: "a-law", width: 1 },
      }
      const found = known[type]
      if (!found) return { problem: `its samples are compressed (${type.replace(/[^\x20-\x7e]/g, "?").trim()})` }
      format = { rate, channels, encoding: "signed", width, littleEndian: false, ...found }
    }
    if (name !== "SSND") continue
    if (!format) continue // the description may come after the samples
    return { ...format, at: at + 8 + (file.u32(at) ?? 0), length: length - 8 }
  }
  if (!format) return { problem: "its description is missing" }
  for (const { name, at, length } of chunksOf(file))
    if (name === "SSND") return { ...format, at: at + 8 + (file.u32(at) ?? 0), length: length - 8 }
  return { problem: "it has no samples" }
}

/** An 80-bit IEEE extended number. */
function extended(file: BinaryReader, at: number): number {
  const [head, high, low] = [file.u16(at), file.u32(at + 2), file.u32(at + 6)]
  if (head === undefined || high === undefined || low === undefined) return 0
  const exponent = head & 0x7fff
  if (exponent === 0x7fff) return Number.NaN
  return (head & 0x8000 ? -1 : 1) * (high * 2 ** 32 + low) * 2 ** (exponent - 16383 - 63)
}

/** Sun's and NeXT's AU. */
function au(source: Source): Found {
  const file = new BinaryReader(source, new BinaryReader(source).name(0) === "dns.")
  const [at, size, kind, rate, channels] = [4, 8, 12, 16, 20].map((place) => file.u32(place) ?? 0) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const known: Record<number, [Encoding, number]> = {
    1: ["mu-law", 1],
    2: ["signed", 1],
    3: ["signed", 2],
    4: ["signed", 3],
    5: ["signed", 4],
    6: ["float", 4],
    7: ["float", 8],
    27: ["a-law", 1],
  }
  const found = known[kind]
  if (!found) return { problem: `its samples are compressed (kind ${kind})` }
  const [encoding, width] = found
  const length = size === 0xffffffff || size === 0 ? source.length - at : size
  return { rate, channels, encoding, width, littleEndian: file.littleEndian, at, length }
}

/** Apple's Core Audio Format. */
function caf(source: Source): Found {
  const file = new BinaryReader(source)
  let format: Format | undefined
  for (let at = 8, count = 0; at + 12 <= file.length && count < MOST_CHUNKS; count++) {
    const [name, size] = [file.name(at), file.u64(at + 4) ?? 0]
    const inside = at + 12
    if (name === "desc") {
      const [rate, kind, flags] = [file.f64(inside) ?? 0, file.name(inside + 8), file.u32(inside + 12) ?? 0]
      const [channels, bits] = [file.u32(inside + 24) ?? 0, file.u32(inside + 28) ?? 0]
      const packet = file.u32(inside + 16) ?? 0
      const encodings: Record<string, Encoding> = {
        lpcm: flags & 1 ? "float" : "signed",
        ulaw: "mu-law",
        alaw: "a-law",
      }
      const encoding = encodings[kind]
      if (!encoding) return { problem: `its samples are compressed (${kind.replace(/[^\x20-\x7e]/g, "?").trim()})` }
      const width = channels && packet % channels === 0 ? packet / channels : Math.ceil(bits / 8)
      format = { rate, channels, encoding, width, littleEndian: (flags & 2) !== 0 }
    }
    if (name === "data") {
      if (!format) return { problem: "its description is missing" }
      // The largest number says that it goes on to the end; four bytes count the edits.
      return { ...format, at: inside + 4, length: size >= 2 ** 63 ? source.length : size - 4 }
    }
    at = inside + size
  }
  return { problem: "it has no samples" }
}
