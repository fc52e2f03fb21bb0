import { fileTypeFromBuffer } from "file-type"
import { BinaryReader } from "./binary.ts"
import { decodeText, isEbcdic, isPlainText } from "./encoding.ts"
import { hasVideo, isMatroska, matroskaTracks, soundOf } from "./matroska.ts"
import { mp4Brands, mp4Tracks } from "./mp4.ts"
import { pcmContainer } from "./pcm.ts"
import type { Source } from "./source.ts"

/** What a file is by its structure, its whole header and not its first letters; its name is a hint where both would do. */

export type PictureFormat = "png" | "jpeg" | "gif" | "webp" | "tiff" | "avif" | "svg" | "bmp"
export type SoundFormat =
  | "wav"
  | "w64"
  | "aiff"
  | "au"
  | "caf"
  | "mp3"
  | "flac"
  | "vorbis"
  | "opus"
  | "qoa"
  | "amr"
  | "wma"
  | "matroska"

/** A kind of file that is read, or why none of it can be; `problem` goes on after the file's name and ends in a period. */
export type Detected =
  | { modality: "image"; format: PictureFormat }
  | { modality: "audio"; format: SoundFormat }
  | { modality: "text" }
  | { modality: undefined; problem: string }

/** Bytes of a header. */
const HEAD = 2 ** 16

const picture = (format: PictureFormat): Detected => ({ modality: "image", format })
const sound = (format: SoundFormat): Detected => ({ modality: "audio", format })
const not = (problem: string): Detected => ({ modality: undefined, problem })

const otherPicture = (kind: string) =>
  not(`is a picture of a kind that cannot be read (${kind}); save it as PNG or JPEG.`)
const otherSound = (kind: string) =>
  not(`is a sound of a kind that cannot be read (${kind}); convert it to WAV, FLAC, MP3 or Ogg.`)
const VIDEO = not("is a video; save its sound alone as WAV or MP3.")

export const EBCDIC_TEXT = "is a text in EBCDIC, which is not read here; convert it to UTF-8 first."

/** What a file is. It reads headers alone, however long the file is. */
export async function detect(name: string, source: Source): Promise<Detected> {
  const head = source.subarray(0, HEAD)
  if (isPlainText(head)) return plainText(name, head)
  const found = pictureOf(source) ?? soundFile(name, source)
  if (found) return found
  if (isEbcdic(head)) return not(EBCDIC_TEXT)
  if (decodeText(head)) return { modality: "text" }
  return named(await fileTypeFromBuffer(head).catch(() => undefined))
}

/** What is text without any doubt may still be a drawing, or the source of a document. */
function plainText(name: string, head: Uint8Array): Detected {
  const text = new TextDecoder().decode(head).trimStart()
  if (/^%PDF-\d/.test(text)) return not("is a PDF; save its text as a text file.")
  const before =
    /^(?:<\?xml[^>]*>|<!--[\s\S]*?-->|<!DOCTYPE\s+svg[^[>]*(?:\[[\s\S]*?\])?\s*>|\s)*/i.exec(text)?.[0] ?? ""
  const isSvg = /^<(?:\w+:)?svg[\s>]/i.test(text.slice(before.length))
  return isSvg && !/\.(txt|md|xml|html?|[jt]sx?)$/i.test(name) ? picture("svg") : { modality: "text" }
}

function pictureOf(source: Source): Detected | undefined {
  const file = new BinaryReader(source)
  const start = file.name(0, 16)
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return picture("png")
  if (/^\xff\xd8\xff[\xc0-\xfe]/.test(start) && (file.u16(4) ?? 0) >= 2) return picture("jpeg")
  if (/^GIF8[79]a/.test(start) && file.length >= 13) return picture("gif")
  if (/^RIFF[\s\S]{4}WEBPVP8[ LX]/.test(start)) return picture("webp")
  if (/^(II[*+]\0|MM\0[*+])/.test(start)) return picture("tiff")
  if (start.startsWith("BM") && isBitmap(source)) return picture("bmp")
  if (start.startsWith("\0\0\x01\0") && isIcon(source)) return otherPicture("ICO")
  if (/^8BPS\0[\x01\x02]/.test(start)) return otherPicture("Photoshop")
  if (/^\xff\x0a|^\0\0\0\x0cJXL /.test(start) && file.length > 12) return otherPicture("JPEG XL")
  if (start.startsWith("\0\0\0\x0cjP  \r\n\x87\n")) return otherPicture("JPEG 2000")
  const brands = mp4Brands(source)
  if (brands?.some((brand) => brand === "avif" || brand === "avis")) return picture("avif")
  if (brands?.some((brand) => /^(hei[cxms]|hev[cxms])$/.test(brand)))
    return not("is a HEIC photo, which cannot be read here; save it as JPEG or PNG.")
  if (brands?.some((brand) => /^(mif1|msf1)$/.test(brand))) return otherPicture("HEIF")
  return undefined
}

/** "BM" begins ordinary texts as well: a bitmap has a second header of a known length, planes and a depth. */
function isBitmap(source: Source): boolean {
  const file = new BinaryReader(source, true)
  const size = file.u32(14) ?? 0
  const [planes, depth] = size === 12 ? [file.u16(22), file.u16(24)] : [file.u16(26), file.u16(28)]
  return (
    [12, 16, 40, 52, 56, 64, 108, 124].includes(size) &&
    planes === 1 &&
    [0, 1, 2, 4, 8, 16, 24, 32].includes(depth ?? -1) &&
    (file.u32(10) ?? 0) <= file.length
  )
}

function isIcon(source: Source): boolean {
  const file = new BinaryReader(source, true)
  const count = file.u16(4) ?? 0
  return count > 0 && 6 + 16 * count <= file.length && file.u8(9) === 0 && (file.u32(18) ?? 0) < file.length
}

function soundFile(name: string, source: Source): Detected | undefined {
  const file = new BinaryReader(source)
  const pcm = pcmContainer(source)
  if (pcm) return sound(pcm)
  const start = file.name(0, 36)
  if (/^RIFF[\s\S]{4}AVI /.test(start)) return VIDEO
  if (/^MThd\0\0\0\x06/.test(start)) return not("is MIDI, which is notes and no sound; render it to WAV first.")
  if (/^RIFF[\s\S]{4}RMID/.test(start)) return not("is MIDI, which is notes and no sound; render it to WAV first.")
  if (start.startsWith("qoaf") && (file.u8(8) ?? 0) > 0) return sound("qoa")
  if (/^#!AMR(-WB)?\n/.test(start)) return sound("amr")
  if (start.startsWith("OggS\0")) return ogg(file)
  if (start.startsWith(ASF)) return asf(source)
  if (isMatroska(source)) {
    const tracks = matroskaTracks(source)
    const codec = soundOf(tracks)?.codec ?? ""
    const isKnown = ["A_OPUS", "A_VORBIS", "A_MPEG/L3", "A_FLAC"].includes(codec)
    if (isKnown && !soundOf(tracks)?.encoded) return sound("matroska")
    if (hasVideo(tracks)) return codec ? VIDEO : not("is a video without sound.")
    return otherSound(`${codec || "nothing"} in Matroska`)
  }
  if (mp4Brands(source) || /^[\s\S]{4}(moov|mdat|wide|free|skip)/.test(start)) return mp4(source)
  const at = afterId3(file)
  if (file.name(at) === "fLaC" && (file.u8(at + 4) ?? 0) % 128 === 0) return sound("flac")
  const hinted = /\.(mp[123]|mpga)$/i.test(name) || at > 0
  const mpeg = mpegAudio(file, at, hinted)
  if (mpeg) return mpeg
  if (isAdts(file, at)) return aac("AAC")
  return undefined
}

const aac = (kind: string) =>
  not(
    `is ${kind} sound, for which this app has no decoder; convert it to WAV, FLAC, MP3 or Ogg, such as by Audacity or ffmpeg.`,
  )

function ogg(file: BinaryReader): Detected {
  const at = 27 + (file.u8(26) ?? 0)
  const packet = file.name(at, 8)
  // The beginnings of all its streams lie before anything else.
  const first = file.name(0, 8192)
  if (/\x80theora|BBCD\0|\x01video/.test(first)) return VIDEO
  if (packet.startsWith("\x01vorbis")) return sound("vorbis")
  if (packet === "OpusHead") return sound("opus")
  if (packet.startsWith("\x7fFLAC")) return otherSound("FLAC in Ogg")
  return otherSound(packet.startsWith("Speex") ? "Speex" : "an unknown codec in Ogg")
}

/** Microsoft's container: its header's name, the one of a stream's properties, and the kind of stream that is video. */
const ASF = "\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"
const ASF_STREAM = "\x91\x07\xdc\xb7\xb7\xa9\xcf\x11\x8e\xe6\x00\xc0\x0c\x20\x53\x65"
const ASF_VIDEO = "\xc0\xef\x19\xbc\x4d\x5b\xcf\x11\xa8\xfd\x00\x80\x5f\x5c\x44\x2b"

function asf(source: Source): Detected {
  const file = new BinaryReader(source, true)
  const end = Math.min(file.length, file.u64(16) ?? 0)
  for (let at = 30, count = 0; at + 24 <= end && count < 1000; count++) {
    const size = file.u64(at + 16) ?? 0
    if (file.name(at, 16) === ASF_STREAM && file.name(at + 24, 16) === ASF_VIDEO) return VIDEO
    if (size < 24) break
    at += size
  }
  return sound("wma")
}

function mp4(source: Source): Detected {
  const { video, codecs } = mp4Tracks(source)
  if (video) return VIDEO
  const [codec] = codecs
  if (!codec) return not("is an MP4 without sound, or a damaged one.")
  const names: Record<string, string> = {
    mp4a: "AAC",
    alac: "Apple Lossless",
    Opus: "Opus in MP4",
    fLaC: "FLAC in MP4",
  }
  return aac(names[codec] ?? `${codec.replace(/[^\w]/g, "?")} in MP4`)
}

/** First byte after an ID3v2 tag, which may hold a picture of megabytes. */
function afterId3(file: BinaryReader): number {
  let at = 0
  for (let count = 0; count < 4 && file.name(at, 3) === "ID3"; count++) {
    const head = file.bytes(at, 10)
    const size = head.subarray(6)
    if (head.length < 10 || head[3] === 0xff || size.some((byte) => byte > 0x7f)) break
    at += 10 + size.reduce((sum, byte) => sum * 128 + byte, 0) + ((head[5] ?? 0) & 0x10 ? 10 : 0)
  }
  return at
}

/** Kilobits a second by version, layer and index (ISO/IEC 11172-3, 13818-3). */
const BITRATES: Record<string, number[]> = {
  "1,1": [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  "1,2": [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  "1,3": [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  "2,1": [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  "2,2": [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  "2,3": [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
}

type Frame = { length: number; key: string; free: boolean }

/** The header of a frame of MPEG audio: its length, and what all frames of a stream share. */
function mpegFrame(head: Buffer): Frame | undefined {
  const [a, b, c] = [head[0] ?? 0, head[1] ?? 0, head[2] ?? 0]
  const [versionBits, layerBits, rateIndex] = [(b >> 3) & 3, (b >> 1) & 3, c >> 4]
  const rate = [44100, 48000, 32000][(c >> 2) & 3]
  if (head.length < 4 || a !== 0xff || b >> 5 !== 7 || versionBits === 1 || !layerBits || rateIndex === 15 || !rate)
    return undefined
  const layer = 4 - layerBits
  const version = versionBits === 3 ? 1 : 2
  const hertz = versionBits === 3 ? rate : versionBits === 2 ? rate / 2 : rate / 4
  const bits = (BITRATES[`${version},${layer}`]?.[rateIndex] ?? 0) * 1000
  const padding = (c >> 1) & 1
  const length =
    layer === 1
      ? (Math.floor((12 * bits) / hertz) + padding) * 4
      : Math.floor(((layer === 3 && version === 2 ? 72 : 144) * bits) / hertz) + padding
  return { length, key: `${versionBits},${layerBits},${(c >> 2) & 3}`, free: rateIndex === 0 }
}

/** MPEG audio from `at` on: three frames in a row, as two bytes alone are nothing; looked for where the name hints at it. */
function mpegAudio(file: BinaryReader, at: number, hinted: boolean): Detected | undefined {
  const window = file.bytes(at, hinted ? HEAD : 4)
  for (let offset = 0; offset + 4 <= window.length; offset++) {
    const first = mpegFrame(window.subarray(offset, offset + 4))
    if (!first) continue
    if (first.free) {
      if (hinted || isFreeFormat(file, at + offset)) return otherSound("MP3 of free format")
      continue
    }
    let place = at + offset
    let frames = 0
    for (; frames < 3 && place < file.length; frames++) {
      const frame = mpegFrame(file.bytes(place, 4))
      if (!frame || frame.free || frame.key !== first.key) break
      place += frame.length
    }
    // A file that ends before the third frame is one too, where its name or its tag says so.
    if (frames === 3 || (frames > 0 && place >= file.length && (hinted || frames > 1))) return sound("mp3")
  }
  return undefined
}

/** Frames that do not say how long they are: the same header twice more at one distance. */
function isFreeFormat(file: BinaryReader, at: number): boolean {
  const window = file.bytes(at, 3 * 8192)
  const head = (place: number) => window.subarray(place, place + 2).toString("latin1")
  for (let length = 24; length < 8192 && 2 * length + 2 < window.length; length++)
    for (const padding of [0, 1]) if (head(length) === head(0) && head(2 * length + padding) === head(0)) return true
  return false
}

/** AAC as a stream: two headers in a row (ISO/IEC 13818-7, ADTS). */
function isAdts(file: BinaryReader, at: number): boolean {
  const frame = (place: number) => {
    const head = file.bytes(place, 7)
    if (head.length < 7 || head[0] !== 0xff || ((head[1] ?? 0) & 0xf6) !== 0xf0) return 0
    return (((head[3] ?? 0) & 3) << 11) | ((head[4] ?? 0) << 3) | ((head[5] ?? 0) >> 5)
  }
  const length = frame(at)
  return length > 7 && frame(at + length) > 7
}

/** Names of the kinds that are read, where they are whole. */
const READ = new Set("png jpg gif webp tif avif bmp wav aif mp3 flac ogg oga opus amr qoa webm mkv".split(" "))

/** What the file-type library calls a file that is none of ours. */
function named(type: { ext: string; mime: string } | undefined): Detected {
  if (type && READ.has(type.ext)) return not(`looks like ${type.ext.toUpperCase()}, but it is damaged.`)
  if (type?.mime.startsWith("video/")) return VIDEO
  if (type?.mime.startsWith("image/")) return otherPicture(type.ext.toUpperCase())
  if (type?.mime.startsWith("audio/")) return otherSound(type.ext.toUpperCase())
  if (type?.ext === "pdf") return not("is a PDF; save its text as a text file.")
  const kind = type ? ` but a file of the kind ${type.ext.toUpperCase()}` : ""
  return not(`is neither text nor a picture nor a sound${kind}.`)
}
