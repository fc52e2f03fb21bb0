import { setImmediate } from "node:timers/promises"
import { startDecoder } from "./decoders.ts"
import type { SoundFormat } from "./detect.ts"
import { type FlacInfo, flacFrameBefore, flacHead, flacInfo, flacPieces } from "./flac.ts"
import { matroskaTracks, packetsOf, soundOf } from "./matroska.ts"
import { OggWriter, opusSamples } from "./ogg.ts"
import { type PcmContainer, pcmLayout, rateProblem, readPcm } from "./pcm.ts"
import type { Source } from "./source.ts"

/** The last seconds of a sound in any format that is read, mixed to mono. */

/** Bytes that a decoder is fed at once: silence in FLAC or Opus becomes thousands of times as much. */
const PIECE = 2 ** 14
/** Bytes of the beginning from which it is told how many make a second. */
const BEGINNING = 2 ** 18
/** Frames of plain samples that are read at once. */
const FRAMES = 2 ** 16
/** Samples that are decoded of one file, all channels together: three hours of stereo at 48 kHz. */
const MOST_SAMPLES = 2 ** 30
/** Samples that are kept: ten minutes at 110 kHz. */
const MOST_KEPT = 2 ** 26
/** Blocks that are decoded of one file: each costs its time, however little it holds. Ten minutes of music have 100,000. */
const MOST_BLOCKS = 2 ** 20
/** How much more than what is wanted is decoded after a jump: at first, and each time that it was not enough. */
const [FIRST_MARGIN, MORE] = [1.15, 2]

/** What was found; `passedOver` seconds before the end were never decoded, about. */
export type SoundEnd = { end: MonoEnd; channels: number; passedOver: number }

/** A sound that cannot be read. The message is a clause for a person, without a period. */
export class SoundProblem extends Error {
  override name = "SoundProblem"
}

/** Kinds that are decoded from anywhere on; what comes before the end that is wanted is passed over. */
const JOINED_ANYWHERE: SoundFormat[] = ["mp3", "vorbis", "opus"]
const isPcm = (format: SoundFormat): format is PcmContainer => ["wav", "w64", "aiff", "au", "caf"].includes(format)

/** The last `seconds` of a file of that format. @throws SoundProblem, or whatever a decoder throws */
export async function readEnd(source: Source, format: SoundFormat, seconds: number): Promise<SoundEnd> {
  if (isPcm(format)) return pcmEnd(source, format, seconds)
  if (format === "matroska") return matroskaEnd(source, seconds)
  if (format === "flac") return flacEnd(source, seconds)
  if (!JOINED_ANYWHERE.includes(format)) return decodedEnd(source, format, seconds)
  for (let margin = FIRST_MARGIN; ; margin *= MORE) {
    const found = await decodedEnd(source, format, seconds, margin)
    // Otherwise the end took far more bytes a second than the beginning let expect.
    if (!found.passedOver || found.end.kept >= seconds * found.end.rate) return found
  }
}

const tooMany = () => new SoundProblem("it has more samples than three hours of music; cut it first")
const tinyBlocks = () => new SoundProblem("it is cut into too many tiny blocks; save it anew as FLAC or WAV")
const nothing = () => new SoundProblem("it holds no sound")

/** Plain samples lie where they lie: the end alone is read, however long the file is. */
async function pcmEnd(source: Source, container: PcmContainer, seconds: number): Promise<SoundEnd> {
  const layout = pcmLayout(source, container)
  if ("problem" in layout) throw new SoundProblem(layout.problem)
  const { rate, channels, width } = layout
  const frames = layout.length / (width * channels)
  if (frames < 1) throw nothing()
  const end = new MonoEnd(rate, seconds)
  const first = Math.max(0, frames - Math.ceil(end.most))
  end.total = first
  for (let at = first; at < frames; at += FRAMES) {
    await setImmediate()
    end.append(readPcm(source, layout, at, Math.min(frames, at + FRAMES)))
  }
  return { end, channels, passedOver: 0 }
}

/** Collects what a decoder gives. */
class Collector {
  end: MonoEnd | undefined
  channels = 0
  passedOver = 0
  private decoded = 0

  /**
   * @param flac what a FLAC says of itself
   * @param before samples that come before the first that is given
   */
  constructor(
    private readonly seconds: number,
    private readonly flac?: FlacInfo,
    private readonly before = 0,
  ) {}

  take({ channelData, sampleRate }: { channelData: Float32Array[]; sampleRate: number }): void {
    const length = channelData[0]?.length ?? 0
    if (!length) return
    const problem = rateProblem(sampleRate)
    if (problem) throw new SoundProblem(problem)
    this.decoded += length * channelData.length
    if (this.decoded > MOST_SAMPLES) throw tooMany()
    this.channels = Math.max(this.channels, channelData.length)
    if (this.flac?.bits === 16) exact16(channelData)
    if (!this.end) {
      this.end = new MonoEnd(sampleRate, this.seconds)
      this.end.total = this.before
    }
    this.end.append(channelData)
  }

  /** Begins anew after a jump. */
  jump(seconds: number): void {
    if (!this.end) return
    this.end = new MonoEnd(this.end.rate, this.seconds)
    this.passedOver = seconds
  }

  get result(): SoundEnd {
    const { end, channels, passedOver } = this
    if (!end) throw nothing()
    return { end, channels, passedOver }
  }
}

type Compressed = Exclude<SoundFormat, PcmContainer | "matroska" | "flac">

/**
 * Decodes a file piece by piece.
 * @param margin how much more than what is wanted is decoded of the end; what is before it is passed over
 */
async function decodedEnd(file: Source, format: Compressed, seconds: number, margin?: number): Promise<SoundEnd> {
  const decoder = await startDecoder(format)
  const found = new Collector(seconds)
  let began = false
  for (let at = 0; at < file.length; at += PIECE) {
    await setImmediate() // others of this process have their turn
    found.take(await decoder(file.subarray(at, Math.min(file.length, at + PIECE))))
    const { end } = found
    if (!margin || began || !end || at + PIECE < BEGINNING) continue
    began = true
    // By what the beginning took, and a second more: what follows a jump is damaged.
    const bytesPerSecond = (at + PIECE) / (end.total / end.rate)
    const over = file.length - Math.ceil((margin * seconds + 1) * bytesPerSecond) - (at + PIECE)
    if (over <= 0) continue
    at += over
    found.jump(over / bytesPerSecond)
  }
  found.take(await decoder())
  return found.result
}

/** FLAC's frames say which samples they have: it is decoded from the one with which the end begins. */
async function flacEnd(source: Source, seconds: number): Promise<SoundEnd> {
  const info = flacInfo(source)
  if (!info) throw nothing()
  const problem = rateProblem(info.rate)
  if (problem) throw new SoundProblem(problem)
  const { samples, channels, rate } = info
  if (samples * channels > MOST_SAMPLES) throw tooMany()
  const wanted = Math.ceil(seconds * rate)
  const first = samples > wanted ? flacFrameBefore(source, info, samples - wanted) : undefined
  const found = new Collector(seconds, info, first?.sample)
  const decoder = await startDecoder("flac")
  if (first) await decoder(flacHead(source))
  const expected = first ? (samples - first.sample) / first.samples : 0
  if (expected > MOST_BLOCKS) throw tinyBlocks()
  let blocks = 0
  for (const piece of flacPieces(source, info, first?.at ?? 0)) {
    await setImmediate()
    blocks += piece.blocks
    if (blocks > MOST_BLOCKS) throw tinyBlocks()
    found.take(await decoder(piece.bytes))
  }
  found.take(await decoder())
  return found.result
}

/** The sound of a Matroska or WebM: its packets as a stream that the codec's decoder reads. */
async function matroskaEnd(source: Source, seconds: number): Promise<SoundEnd> {
  const track = soundOf(matroskaTracks(source))
  if (!track) throw nothing()
  const codec = ({ A_OPUS: "opus", A_VORBIS: "vorbis", "A_MPEG/L3": "mp3", A_FLAC: "flac" } as const)[track.codec]
  if (!codec) throw new SoundProblem(`${track.codec} in Matroska cannot be read`)
  const decoder = await startDecoder(codec)
  const found = new Collector(seconds)
  let [waiting, size]: [Uint8Array[], number] = [[], 0]
  const feed = async (piece: Uint8Array) => {
    waiting.push(piece)
    size += piece.length
    if (size < PIECE) return
    await setImmediate()
    found.take(await decoder(Buffer.concat(waiting)))
    ;[waiting, size] = [[], 0]
  }
  const ogg = codec === "opus" || codec === "vorbis" ? new OggWriter() : undefined
  if (codec === "opus" || codec === "vorbis")
    for (const header of oggHeaders(codec, track.private)) await feed(ogg?.packet(header, 0) ?? header)
  else if (codec === "flac") await feed(track.private)
  const [packets, passedOver] =
    codec === "opus" ? lastOpus(source, track.number, seconds) : [packetsOf(source, track.number), 0]
  let samples = 0
  for (const packet of packets) {
    if (!packet.length) continue
    samples += codec === "opus" ? opusSamples(packet) : 1
    await feed(ogg ? ogg.packet(packet, samples) : packet)
  }
  if (size) found.take(await decoder(Buffer.concat(waiting)))
  found.take(await decoder())
  return { ...found.result, passedOver }
}

/** The packets of the last `seconds` and a bit, as Opus says how long each is; and the seconds before them. */
function lastOpus(source: Source, track: number, seconds: number): [Buffer[], number] {
  const most = (seconds + 1) * 48_000
  let packets: Buffer[] = []
  let [first, held, passed] = [0, 0, 0]
  for (const packet of packetsOf(source, track)) {
    if (!packet.length) continue
    packets.push(packet)
    held += opusSamples(packet)
    for (let next = packets[first]; next && held - opusSamples(next) >= most; next = packets[first]) {
      passed += opusSamples(next)
      held -= opusSamples(next)
      first++
    }
    if (first < 4096) continue
    packets = packets.slice(first)
    first = 0
  }
  return [packets.slice(first), passed / 48_000]
}

/** The packets that a stream in Ogg begins with, from what Matroska keeps of them. */
function oggHeaders(codec: "opus" | "vorbis", kept: Buffer): Buffer[] {
  if (codec === "opus") return [kept, Buffer.from("OpusTags\0\0\0\0\0\0\0\0", "latin1")]
  // Vorbis: the count less one, lengths of all but the last in steps of 255, and the three packets.
  const sizes: number[] = []
  let at = 1
  for (let i = 0; i < (kept[0] ?? 0); i++) {
    let size = 0
    for (let byte = 255; byte === 255 && at < kept.length; at++) {
      byte = kept[at] as number
      size += byte
    }
    sizes.push(size)
  }
  const headers = sizes.map((size) => {
    at += size
    return kept.subarray(at - size, at)
  })
  return [...headers, kept.subarray(at)]
}

/** The decoder stretches 16-bit samples by 32768 / 32767; undone, a sample is its number over 32768 and comes back. */
function exact16(channels: Float32Array[]): void {
  for (const channel of channels)
    for (let i = 0; i < channel.length; i++) channel[i] = Math.round((channel[i] as number) * 32767) / 32768
}

/**
 * How loud each channel is in the mix, in the order left, right, center, bass, back or side: as ITU-R BS.775 mixes to
 * two, and those to one. The bass is left out.
 */
const MIX: Record<number, number[]> = {
  1: [1],
  2: [0.5, 0.5],
  3: [0.5, 0.5, Math.SQRT1_2],
  5: [0.5, 0.5, Math.SQRT1_2, Math.SQRT1_2 / 2, Math.SQRT1_2 / 2],
  6: [0.5, 0.5, Math.SQRT1_2, 0, Math.SQRT1_2 / 2, Math.SQRT1_2 / 2],
  8: [0.5, 0.5, Math.SQRT1_2, 0, ...Array<number>(4).fill(Math.SQRT1_2 / 2)],
}
/** Share of the channels' energy below which the mix counts as cancelled: a cable with wrong polarity. */
const CANCELLED = 0.01

/** The last seconds of a stream of samples, mixed to mono. */
export class MonoEnd {
  /** Samples that came. */
  total = 0
  /** Samples at most that are kept. */
  readonly most: number
  private parts: { mono: Float32Array; left?: Float32Array | undefined }[] = []
  private held = 0
  private mixed = 0
  private apart = 0

  constructor(
    readonly rate: number,
    seconds: number,
  ) {
    this.most = Math.min(MOST_KEPT, Math.ceil(seconds * rate))
  }

  append(channels: Float32Array[]): void {
    const [left] = channels
    if (!left) return
    const weights = MIX[channels.length] ?? Array<number>(channels.length).fill(1 / channels.length)
    const mono = new Float32Array(left.length)
    channels.forEach((channel, c) => {
      const weight = weights[c] as number
      for (let i = 0; i < mono.length; i++) mono[i] = (mono[i] as number) + weight * (channel[i] ?? 0)
    })
    if (channels.length > 1) {
      for (let i = 0; i < mono.length; i++) {
        this.mixed += (mono[i] as number) ** 2
        this.apart += (left[i] as number) ** 2
      }
      if (!this.isCancelled) for (const part of this.parts) part.left = undefined
    }
    // The left channel is kept for as long as it may be needed.
    this.parts.push({ mono, left: this.isCancelled ? left.slice() : undefined })
    this.total += mono.length
    this.held += mono.length
    while (this.held - (this.parts[0]?.mono.length ?? 0) >= this.most) this.held -= this.parts.shift()?.mono.length ?? 0
  }

  /** Whether the channels cancel each other out: then the left one stands for all. */
  get isCancelled(): boolean {
    return this.apart > 0 && this.mixed < CANCELLED * this.apart
  }

  get kept(): number {
    return Math.min(this.held, this.most)
  }

  samples(): Float32Array {
    const all = new Float32Array(this.held)
    let at = 0
    for (const { mono, left } of this.parts) {
      all.set((this.isCancelled && left) || mono, at)
      at += mono.length
    }
    const kept = all.subarray(all.length - this.kept)
    let peak = 1
    for (let i = 0; i < kept.length; i++) {
      const x = kept[i] as number
      if (!Number.isFinite(x)) kept[i] = 0
      else if (Math.abs(x) > peak) peak = Math.abs(x)
    }
    // Many channels at once may be louder than one can be.
    if (peak > 1 && this.apart > 0) for (let i = 0; i < kept.length; i++) kept[i] = (kept[i] as number) / peak
    return kept
  }
}
