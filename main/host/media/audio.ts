import { setImmediate } from "node:timers/promises"
import * as libsamplerate from "@alexanderolsen/libsamplerate-js"
import Flac from "libflacjs"
import { Settings } from "../../../contract/app.ts"
import type { Sound } from "../../../contract/pack.ts"
import { toInt16 } from "../../../contract/samples.ts"
import { detect, type SoundFormat } from "./detect.ts"
import { MediaError } from "./error.ts"
import { flacComment } from "./flac.ts"
import { hasVideo, matroskaTracks } from "./matroska.ts"
import { wavComment } from "./pcm.ts"
import { readEnd, type SoundEnd, SoundProblem } from "./sound-end.ts"
import type { Source } from "./source.ts"

// Node gives this UMD module as `default` alone, a bundler gives its names.
const { ConverterType, create } =
  "default" in libsamplerate ? (libsamplerate.default as typeof libsamplerate) : libsamplerate

/** The longest sound that is taken as a prompt, in seconds: the model looks back over far less. */
export const LONGEST_SOUND = 600

/** What people call the formats. */
const NAMES: Record<SoundFormat, string> = {
  wav: "WAV",
  w64: "Wave64",
  aiff: "AIFF",
  au: "AU",
  caf: "CAF",
  mp3: "MP3",
  flac: "FLAC",
  vorbis: "Ogg Vorbis",
  opus: "Opus",
  qoa: "QOA",
  amr: "AMR",
  wma: "WMA",
  matroska: "WebM",
}

/**
 * A sound of any rate and number of channels as mono samples at the pack's rate: the last `seconds` of it, which is
 * all that is ever held. `note` says what was done; `settings` are those it was generated with, where it is an
 * export of this app.
 * @throws MediaError with one line
 */
export async function readSound(
  name: string,
  source: Source,
  sound: Sound,
  seconds: number,
): Promise<{ samples: Float32Array; note: string; settings?: Settings }> {
  const detected = await detect(name, source)
  if (detected.modality !== "audio")
    throw new MediaError(`${name} ${detected.modality === undefined ? detected.problem : "is not a sound."}`)
  const { format } = detected
  let samples: Float32Array
  let found: SoundEnd
  try {
    found = await readEnd(source, format, seconds)
    samples = await resample(found.end.samples(), found.end.rate, sound.rate)
  } catch (error) {
    const why = error instanceof SoundProblem ? error.message : "it is damaged"
    throw new MediaError(`${name} cannot be read as sound: ${why}.`, { cause: error })
  }
  const { end, channels, passedOver } = found
  const isVideo = format === "matroska" && hasVideo(matroskaTracks(source))
  const notes = [isVideo ? "the sound of a video" : NAMES[format]]
  const mixed = channels === 1 ? "mono" : channels === 2 ? "stereo" : `${channels} channels`
  if (end.rate !== sound.rate || channels > 1)
    notes.push(`${kilohertz(end.rate)} kHz ${mixed} → ${kilohertz(sound.rate)} kHz mono`)
  if (end.isCancelled) notes.push("the channels cancel each other out, so the left one alone is used")
  const whole = Math.round(passedOver + end.total / end.rate)
  if (passedOver || end.total > end.kept)
    notes.push(`the last ${Math.round(end.kept / end.rate)} of ${passedOver ? "about " : ""}${whole} seconds`)
  const settings = settingsIn(source, format)
  return { samples, note: notes.join(", "), ...(settings ? { settings } : {}) }
}

const kilohertz = (rate: number) => Number((rate / 1000).toFixed(3))

/** libsamplerate's band-limited sinc: what lies above half of the new rate is filtered away, not folded down. */
async function resample(given: Float32Array, rate: number, to: number): Promise<Float32Array> {
  if (rate === to) return given
  const [samples, from] = below(given, rate)
  // Passes nine tenths of the band, with noise 120 dB down; the best takes three times as long for half of the rest.
  const converter = await create(1, from, to, { converterType: ConverterType.SRC_SINC_MEDIUM_QUALITY })
  const all = new Float32Array(Math.round((samples.length * to) / from))
  try {
    // Second by second, and silence after the end until the filter has given the last sample.
    const piece = Math.ceil(from) // old recorders have rates with fractions
    for (let at = 0, done = 0; done < all.length; at += piece) {
      await setImmediate()
      const second = new Float32Array(piece)
      second.set(samples.subarray(at, at + piece))
      const made = converter.full(second)
      all.set(made.subarray(0, all.length - done), done)
      done += made.length
    }
    return all
  } finally {
    converter.destroy()
  }
}

/** libsamplerate's binding takes 192 kHz at most: above, samples are averaged by a whole factor, far above what is heard. */
function below(samples: Float32Array, rate: number): [Float32Array, number] {
  const factor = Math.ceil(rate / 192_000)
  if (factor === 1) return [samples, rate]
  const fewer = new Float32Array(Math.floor(samples.length / factor))
  for (let i = 0; i < fewer.length; i++) {
    let sum = 0
    for (let j = 0; j < factor; j++) sum += samples[i * factor + j] as number
    fewer[i] = sum / factor
  }
  return [fewer, rate / factor]
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

/** Settings in the comment of a WAV or a FLAC that this app wrote. */
function settingsIn(source: Source, format: SoundFormat): Settings | undefined {
  const comment =
    format === "wav" ? wavComment(source) : format === "flac" ? flacComment(source, "MEGABYTE") : undefined
  try {
    return comment ? Settings.parse(JSON.parse(comment.replace(/\0+$/, ""))) : undefined
  } catch {
    return undefined // foreign or damaged: it is still a sound
  }
}
