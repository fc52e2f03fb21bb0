import type { Framing, Preview, Settings } from "../../../contract/app.ts"
import { LARGEST_WHOLE, tooLarge } from "../../../contract/files.ts"
import type { Prompt } from "../../../contract/media.ts"
import type { Modality } from "../../../contract/modality/index.ts"
import { byColumns, canvasOf, type Pack, Sound, secondBytes, soundOf } from "../../../contract/pack.ts"
import { decodeSamples, encodeSamples } from "../../../contract/samples.ts"
import { notesOf, writeMidi } from "../../../contract/transcription.ts"
import { writeWav } from "../../../contract/wav.ts"
import { LONGEST_SOUND, readSound, writeFlac } from "./audio.ts"
import { MediaError } from "./error.ts"
import { excerptOf, peaksOf } from "./excerpt.ts"
import { enlargement, readImage, writePng } from "./image.ts"
import type { Source } from "./source.ts"
import { readText } from "./text.ts"

/** How a picture is to be taken. */
export type Reading = { framing?: Framing | undefined; columns?: boolean }

/** How an item is written: what it was made with, how often a picture's pixels are repeated, samples that were given. */
export type Writing = { settings: Settings | undefined; enlarge?: number; samples?: Float32Array | undefined }

/** An item to be shown small: its canonical bytes, its ordinary file, its pack where that is here. */
export type Previewed = {
  contents(): Uint8Array
  given: number
  file: Uint8Array | undefined
  pack: Pick<Pack, "modality" | "media"> | undefined
}

/** Seconds of a sound that are listened to for its notes. */
const PREVIEWED = 4

/** A modality's files. */
type Media = {
  /** A file as a prompt. @throws MediaError with one line */
  read(name: string, file: Source, pack: Pack, how: Reading): Promise<Prompt>
  /** Canonical bytes as a file of one of the modality's forms. */
  write(form: string, bytes: Uint8Array, pack: Pack, how: Writing): Promise<Uint8Array>
  /** What a row of the library shows of an item. */
  preview(item: Previewed): Omit<Preview, "id">
}

/** All of a file, where it is not too large. @throws MediaError */
function whole(name: string, file: Source): Uint8Array {
  if (file.length > LARGEST_WHOLE) throw new MediaError(tooLarge(name, "32 MB"))
  return file.subarray(0, file.length)
}

/** The format that a pack of this modality has. */
function of<T>(format: T | undefined): T {
  if (format === undefined) throw new Error("this pack is of another modality")
  return format
}

const asItIs = async (_: string, bytes: Uint8Array) => bytes

export const media: Record<Modality, Media> = {
  image: {
    async read(name, file, pack, { framing, columns = false }) {
      const canvas = of(canvasOf(pack))
      const read = await readImage(name, whole(name, file), canvas, framing)
      return columns ? { ...read, bytes: byColumns(read.bytes, canvas) } : read
    },
    write(form, bytes, pack, { settings, enlarge }) {
      const canvas = of(canvasOf(pack))
      return writePng(bytes, canvas, enlarge ?? (form === "large" ? enlargement(canvas) : 1), settings)
    },
    preview: ({ file }) => (file ? { image: new Uint8Array(file) } : {}),
  },
  audio: {
    async read(name, file, pack) {
      const sound = of(soundOf(pack))
      const read = await readSound(name, file, sound, LONGEST_SOUND)
      return { ...read, bytes: encodeSamples(read.samples, sound) }
    },
    async write(form, bytes, pack, { settings, samples = new Float32Array() }) {
      const sound = of(soundOf(pack))
      const all = decodeSamples(bytes, sound)
      all.set(samples)
      if (form === "midi") return writeMidi(notesOf(all, sound.rate))
      return (form === "flac" ? writeFlac : writeWav)(all, sound.rate, settings)
    },
    preview({ contents, pack }) {
      if (!pack) return {}
      const [bytes, sound] = [contents(), Sound.parse(pack.media)]
      const beginning = decodeSamples(bytes.subarray(0, PREVIEWED * secondBytes(sound)), sound)
      const notes = notesOf(beginning, sound.rate)
      // A tune is known by its notes; its wave looks like that of any other.
      return notes.length && notes.every(({ exact }) => exact)
        ? { roll: { seconds: beginning.length / sound.rate, notes } }
        : { peaks: peaksOf(bytes, sound) }
    },
  },
  text: {
    read: async (name, file) => readText(name, whole(name, file)),
    write: asItIs,
    preview: ({ contents, given }) => ({ text: excerptOf(contents(), given) }),
  },
  bytes: {
    read: async (name, file) => ({ bytes: whole(name, file), note: "" }),
    write: asItIs,
    preview: ({ contents }) => ({
      text: Buffer.from(contents().subarray(0, 32)).toString("hex").replace(/../g, "$& "),
    }),
  },
}
