import { existsSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { modalities } from "../../contract/modality/index.ts"
import { canBeGuided, documentsOf, Pack } from "../../contract/pack.ts"
import { PackError } from "./error.ts"

/** The largest weights file that is opened; beyond it a pack cannot fit beside its compiled form. */
export const MAX_WEIGHTS_BYTES = 8 * 2 ** 30

function joined(header: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(header.length + bytes.length)
  whole.set(header)
  whole.set(bytes, header.length)
  return whole
}

/** A whole document as the model reads it: its header with the style left open, and its bytes. For scoring. */
export function wholeDocument(pack: Pack, bytes: Uint8Array): { bytes: Uint8Array<ArrayBuffer>; header: number } {
  const header = documentsOf(pack).header()
  return { bytes: joined(header, bytes), header: header.length }
}

/** Bytes until a document of `length` bytes is complete; only a picture ever is. */
export function roomAfter(pack: Pack, length: number): number {
  return (documentsOf(pack).whole ?? Number.POSITIVE_INFINITY) - length
}

/** What the engine gets for a document that begins with `given`, and how far it can go. */
export type Bounds = {
  prompt: Uint8Array<ArrayBuffer>
  /** Bytes of the prompt before the document itself, and what stands there where the prompt is cut. */
  header: number
  cutHeader: Uint8Array<ArrayBuffer>
  /** The two with the style left open, where one was chosen. */
  open?: { header: Uint8Array<ArrayBuffer>; cutHeader: Uint8Array<ArrayBuffer> }
  /** Ends a variation: the document's end mark. */
  stopAt?: number
  /** Bytes that are never drawn: marks that are no text. */
  barred: number[]
  isText: boolean
  /** Bytes until the document is complete. */
  room: number
}

/** What a document is to become: those of a run's settings that are not the sampler's. */
export type Wish = { style?: number; columns?: boolean | undefined; untilEnd?: boolean | undefined }

/**
 * How a document that begins with `given` is put to this pack's model: its header goes first. A canvas has an end; a
 * text has one where `untilEnd` is asked for, else its end mark is never drawn. In a text pack without a header, nothing
 * given begins at the end mark, where a document begins.
 */
export function documentBounds(pack: Pack, given: Uint8Array, wish: Wish = {}): Bounds {
  const { untilEnd = false, ...told } = wish
  const { header: headerOf, endMark: end, marks } = documentsOf(pack)
  const headers = (style = told.style) => ({
    header: headerOf({ ...told, style, generating: true }),
    cutHeader: headerOf({ ...told, style, generating: true, cut: true }),
  })
  const { header, cutHeader } = headers()
  const stops = untilEnd && end !== undefined
  const prompt = joined(header, given)
  return {
    prompt: prompt.length || end === undefined ? prompt : Uint8Array.of(end),
    header: header.length,
    cutHeader,
    ...(told.style && canBeGuided(pack) ? { open: headers(0) } : {}),
    room: roomAfter(pack, given.length),
    ...(stops ? { stopAt: end } : {}),
    barred: marks.filter((mark) => !(stops && mark === end)),
    isText: modalities[pack.modality].lengthUnit === "characters",
  }
}

/** Reads and checks pack.json in `folder`. @throws PackError */
export function readPack(folder: string): Pack {
  const path = join(folder, "pack.json")
  if (!existsSync(path)) throw new PackError(`There is no model pack in ${folder} (no pack.json).`)
  let data: unknown
  try {
    data = JSON.parse(readFileSync(path, "utf8"))
  } catch {
    throw new PackError(`The pack description ${path} is damaged: it is not JSON.`)
  }
  const parsed = Pack.safeParse(data)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const at = issue?.path.join(".")
    throw new PackError(`The pack description ${path} is not valid: ${at ? `${at}: ` : ""}${issue?.message}.`)
  }
  const weights = join(folder, "weights.safetensors")
  if (!existsSync(weights)) throw new PackError(`The pack ${folder} has no weights.safetensors.`)
  if (statSync(weights).size > MAX_WEIGHTS_BYTES)
    throw new PackError(`The weights ${weights} are too large (over 8 GiB).`)
  return parsed.data
}
