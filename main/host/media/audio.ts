import { setImmediate } from "node:timers/promises"
import * as libsamplerate from "@alexanderolsen/libsamplerate-js"
import decode from "audio-decode"
import audioType from "audio-type"
import Flac from "libflacjs"
import { Settings } from "../../../contract/app.ts"
import type { Sound } from "../../../contract/pack.ts"
import { toInt16 } from "../../../contract/samples.ts"
import { MediaError } from "./error.ts"
import { hasPictures, isMp4, tableFirst } from "./mp4.ts"
import type { Source } from "./source.ts"

// Node gives this UMD module as `default` alone, a bundler gives its names.
const { ConverterType, create } =
  "default" in libsamplerate ? (libsamplerate.default as typeof libsamplerate) : libsamplerate

/** The longest sound that is taken as a prompt, in seconds: the model looks back over far less. */
export const LONGEST_SOUND = 600

/** Bytes that a decoder is fed at once. */
const PIECE = 2 ** 18

/** Kinds of sound that are decoded, as audio-type calls them. */
const DECODED = ["wav", "mp3", "flac", "opus", "oga", "m4a", "aac", "aiff", "caf", "qoa", "amr", "wma"] as const
type Kind = (typeof DECODED)[number]
const names: Record<string, string> = {
  oga: "Ogg Vorbis",
  opus: "Opus",
  m4a: "AAC",
  wav: "WAV",
  mp3: "MP3",
  flac: "FLAC",
}

/** Kinds that are decoded from anywhere on; what comes before the end that is wanted is passed over. */
const JOINED_ANYWHERE: Kind[] = ["mp3", "oga", "opus", "aac"]

/** Whether a file is sound or video, by its first bytes; also kinds that cannot be read. */
export function isSound(file: Source): boolean {
  return audioType(file.subarray(0, 2 ** 16).slice()) !== undefined || isMp4(file)
}

/** An MP4 with a track of pictures, or a container that is made for video. */
const isVideo = (kind: string | undefined, file: Source) =>
  kind === "avi" || kind === "mkv" || kind === "webm" || (isMp4(file) && hasPictures(file))

/**
 * A sound of any rate and number of channels as mono samples at the pack's rate: the last `seconds` of it, which is
 * all that is ever held. `note` says what was done; `settings` are those it was generated with, where it is an
 * export of this app.
 * @throws MediaError with one line
 */
export async function readSound(
  name: string,
  given: Source,
  sound: Sound,
  seconds: number,
): Promise<{ samples: Float32Array; note: string; settings?: Settings }> {
  const head = given.subarray(0, 2 ** 16)
  const kind = audioType(head.slice())
  if (isVideo(kind, given)) throw new MediaError(`${name} is a video; give its sound alone. Nothing has changed.`)
  const decoded = DECODED.find((k) => k === kind)
  if (!decoded) throw new MediaError(`${name} is not a kind of sound that can be read; nothing has changed.`)
  let found: Found
  try {
    const file = isMp4(given) ? tableFirst(given) : given
    found = await endOf(file, decoded, seconds, JOINED_ANYWHERE.includes(decoded))
    // The end took far more bytes a second than the beginning let expect.
    if (found.passedOver && found.end && found.end.kept < seconds * found.end.rate)
      found = await endOf(file, decoded, seconds, false)
  } catch (error) {
    throw new MediaError(
      `${name} cannot be read as sound (${(error as Error).message.split("\n")[0]}); nothing has changed.`,
    )
  }
  const { end, channels, passedOver } = found
  if (!end?.total) throw new MediaError(`${name} holds no sound; nothing has changed.`)
  const samples = await resample(end.samples(), end.rate, sound.rate)
  const notes = []
  const mixed = channels === 1 ? "mono" : channels === 2 ? "stereo" : `${channels} channels`
  if (end.rate !== sound.rate || channels > 1)
    notes.push(`${end.rate / 1000} kHz ${mixed} → ${sound.rate / 1000} kHz mono`)
  const whole = Math.round(passedOver + end.total / end.rate)
  if (passedOver || end.total > end.kept)
    notes.push(`the last ${seconds} of ${passedOver ? "about " : ""}${whole} seconds`)
  const settings = settingsIn(head)
  return { samples, note: [names[decoded] ?? decoded, ...notes].join(", "), ...(settings ? { settings } : {}) }
}

/** The last seconds of a sound, its channels, and how many seconds before them were never decoded, about. */
type Found = { end: End | undefined; channels: number; passedOver: number }

/** Decodes `file` piece by piece and keeps the last `seconds`; with `jump` most of what is before them is passed over. */
async function endOf(file: Source, kind: Kind, seconds: number, jump: boolean): Promise<Found> {
  const sixteenBits = is16Bit(kind, file.subarray(0, 4096))
  const decoder = await decode[kind]()
  const found: Found = { end: undefined, channels: 0, passedOver: 0 }
  let began = false
  for (let at = 0; at <= file.length; at += PIECE) {
    await setImmediate() // others of this process have their turn
    const last = at + PIECE > file.length
    const parts = [
      await decoder(file.subarray(at, Math.min(file.length, at + PIECE))),
      ...(last ? [await decoder()] : []),
    ]
    for (const { channelData, sampleRate } of parts) {
      if (!channelData[0]?.length) continue
      found.channels = Math.max(found.channels, channelData.length)
      if (sixteenBits) exact16(channelData)
      found.end ??= new End(sampleRate, seconds)
      found.end.append(channelData)
    }
    if (!jump || began || !found.end) continue
    began = true
    // Twice what is wanted, by what the beginning took: the rate may vary, and what follows a jump is damaged.
    const bytesPerSecond = PIECE / (found.end.total / found.end.rate)
    const over = file.length - Math.ceil(2 * seconds * bytesPerSecond) - (at + PIECE)
    if (over <= 0) continue
    at += over
    found.passedOver = over / bytesPerSecond
    found.end = new End(found.end.rate, seconds)
  }
  return found
}

/** Whether a WAV's or a FLAC's samples are of 16 bits (FLAC: STREAMINFO, format section 8.2). */
function is16Bit(kind: Kind, file: Uint8Array): boolean {
  if (kind === "flac") return ((((file[20] ?? 0) & 1) << 4) | ((file[21] ?? 0) >> 4)) === 15
  const format = Buffer.from(file.subarray(0, 4096)).indexOf("fmt ")
  return kind === "wav" && file[format + 8] === 1 && file[format + 22] === 16
}

/** The decoders stretch positive 16-bit samples to reach 1; undone, a sample is its number over 32768 and comes back. */
function exact16(channels: Float32Array[]): void {
  for (const channel of channels)
    channel.forEach((x, i) => {
      if (x > 0) channel[i] = Math.round(x * 32767) / 32768
    })
}

/** The last seconds of a stream of samples, mixed to mono. */
class End {
  /** Samples that came, and how many of them are still here. */
  total = 0
  private parts: Float32Array[] = []
  private held = 0
  private readonly most: number

  constructor(
    readonly rate: number,
    seconds: number,
  ) {
    this.most = Math.ceil(seconds * rate)
  }

  append(channels: Float32Array[]): void {
    const [first] = channels
    if (!first) return
    const mono = first.slice()
    for (const other of channels.slice(1))
      for (let i = 0; i < mono.length; i++) mono[i] = (mono[i] ?? 0) + (other[i] ?? 0)
    if (channels.length > 1) for (let i = 0; i < mono.length; i++) mono[i] = (mono[i] ?? 0) / channels.length
    this.parts.push(mono)
    this.total += mono.length
    this.held += mono.length
    while (this.held - (this.parts[0]?.length ?? 0) >= this.most) this.held -= this.parts.shift()?.length ?? 0
  }

  get kept(): number {
    return Math.min(this.held, this.most)
  }

  samples(): Float32Array {
    const all = new Float32Array(this.held)
    let at = 0
    for (const part of this.parts) {
      all.set(part, at)
      at += part.length
    }
    return all.subarray(all.length - this.kept)
  }
}

/** libsamplerate's band-limited sinc: what lies above half of the new rate is filtered away, not folded down. */
async function resample(samples: Float32Array, from: number, to: number): Promise<Float32Array> {
  if (from === to) return samples
  // Passes nine tenths of the band, with noise 120 dB down; the best takes three times as long for half of the rest.
  const converter = await create(1, from, to, { converterType: ConverterType.SRC_SINC_MEDIUM_QUALITY })
  const all = new Float32Array(Math.round((samples.length * to) / from))
  try {
    // Second by second, and silence after the end until the filter has given the last sample.
    for (let at = 0, done = 0; done < all.length; at += from) {
      await setImmediate()
      const second = new Float32Array(from)
      second.set(samples.subarray(at, at + from))
      const made = converter.full(second)
      all.set(made.subarray(0, all.length - done), done)
      done += made.length
    }
    return all
  } finally {
    converter.destroy()
  }
}

/** A 16-bit mono FLAC; `settings` go into a Vorbis comment. */
export async function writeFlac(samples: Float32Array, rate: number, settings?: Settings): Promise<Buffer> {
  const flac = Flac()
  if (!flac.isReady()) await new Promise<void>((ready) => flac.on("ready", () => ready()))
  const encoder = flac.create_libflac_encoder(rate, 1, 16, 8, samples.length, true, 0)
  const parts: Uint8Array[] = []
  const began = flac.init_encoder_stream(encoder, (data: Uint8Array) => void parts.push(data.slice()))
  const pcm = Int32Array.from(samples, toInt16)
  const done =
    began === 0 &&
    flac.FLAC__stream_encoder_process_interleaved(encoder, pcm, pcm.length) &&
    flac.FLAC__stream_encoder_finish(encoder)
  flac.FLAC__stream_encoder_delete(encoder)
  if (!done) throw new Error("The sound could not be written as FLAC; save it as WAV instead.")
  const file = Buffer.concat(parts)
  return settings ? withComment(file, `MEGABYTE=${JSON.stringify(settings)}`) : file
}

/** Puts a Vorbis comment after a FLAC's first metadata block, in place of the encoder's own (FLAC format, section 8.6). */
function withComment(file: Buffer, comment: string): Buffer {
  const text = (s: string) => {
    const bytes = Buffer.from(s)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  const count = Buffer.from([1, 0, 0, 0])
  const data = Buffer.concat([text("Megabyte Studio"), count, text(comment)])
  const blocks: Buffer[] = []
  let at = 4
  for (let last = false; !last; ) {
    last = ((file[at] as number) & 0x80) !== 0
    const end = at + 4 + file.readUIntBE(at + 1, 3)
    if (((file[at] as number) & 0x7f) !== 4) blocks.push(Buffer.from(file.subarray(at, end)))
    at = end
  }
  const head = Buffer.from([4, 0, 0, 0])
  head.writeUIntBE(data.length, 1, 3)
  blocks.push(Buffer.concat([head, data]))
  blocks.forEach((block, i) => {
    block[0] = ((block[0] as number) & 0x7f) | (i === blocks.length - 1 ? 0x80 : 0)
  })
  return Buffer.concat([file.subarray(0, 4), ...blocks, file.subarray(at)])
}

/** Settings in a WAV's or a FLAC's comment, within the first 64 kB; both have the text's length before it. */
function settingsIn(file: Uint8Array): Settings | undefined {
  const head = Buffer.from(file.subarray(0, 2 ** 16))
  const [wav, flac] = [head.indexOf("ICMT"), head.indexOf("MEGABYTE=")]
  if (wav < 0 && flac < 0) return undefined
  try {
    const [start, length, mark] =
      wav >= 0 ? [wav + 8, head.readUInt32LE(wav + 4), 0] : [flac, head.readUInt32LE(flac - 4), 9]
    return Settings.parse(JSON.parse(head.toString("utf8", start + mark, start + length).replace(/\0$/, "")))
  } catch {
    return undefined // foreign or damaged: it is still a sound
  }
}
