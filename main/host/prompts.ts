import { accessSync, constants } from "node:fs"
import type { Item } from "../../contract/app.ts"
import type { Modality } from "../../contract/modality/index.ts"
import { canvasOf, pixelBytes, rowBytes } from "../../contract/pack.ts"
import type { Asked, Opened as OpenedDocument } from "../../contract/window.ts"
import { readPack } from "../packs/read.ts"
import type { Library } from "./library.ts"
import type { MediaReader } from "./media/client.ts"
import { MediaError } from "./media/error.ts"
import { type AppPaths, findPack, listPacks, packFor } from "./packs/find.ts"

/** What is asked of a file that was dropped: its name, the pack that is wanted for it, how a picture is to be framed. */
export type Opening = Pick<Asked<"open">, "name" | "pack" | "framing">

/** What it becomes, before it is kept. */
export type Read = Omit<OpenedDocument, "document">

/** What it takes to read a prompt. */
type Services = {
  media: MediaReader
  places: AppPaths
  library: Library
  /** Bits that a pack needs for a document's bytes; absent while something is being made. */
  bitsFor?: ((pack: string, bytes: Uint8Array) => Promise<number>) | undefined
}

/** The file at `path` as a prompt for a pack that fits it. @throws MediaError */
export async function openPrompt(opening: Opening, path: string, services: Services): Promise<Read> {
  const { name } = opening
  const { media, places } = services
  try {
    accessSync(path, constants.R_OK)
  } catch {
    throw new MediaError(`${name} cannot be read.`)
  }
  // A pack for bytes takes any file at all as it is.
  const isForBytes = listPacks(places).some(
    (p) => "pack" in p && p.pack.name === opening.pack && p.pack.modality === "bytes",
  )
  const modality: Modality = isForBytes ? "bytes" : await media.detect(name, path)
  const wanted = packFor(modality, opening.pack, places)
  // Who has chosen a pack for it is given that one.
  const pack = wanted === opening.pack ? wanted : await bestPack(wanted, opening, path, services)
  const read = await readPrompt(opening, path, pack, services)
  const opened = { name, modality }
  const { settings } = read
  if (!settings || settings.pack === pack) return { ...opened, pack, ...read }
  // It was made with another pack: that one goes on from it, where it is here.
  if (packFor(modality, settings.pack, places) === settings.pack)
    return { ...opened, pack: settings.pack, ...(await readPrompt(opening, path, settings.pack, services)) }
  const note = [read.note, `the pack ${settings.pack} that made it is not here, so its style is left out`]
  return { ...opened, pack, ...read, note: note.filter(Boolean).join("; "), settings: { ...settings, pack, style: 0 } }
}

/** The pack for pictures that needs the fewest bits a pixel for the upper half of a file; `usual` where all are equal. */
async function bestPack(usual: string, { name, framing }: Opening, path: string, services: Services): Promise<string> {
  const { media, places, bitsFor } = services
  const packs = listPacks(places).flatMap((p) => ("pack" in p && p.pack.modality === "image" ? [p.pack] : []))
  if (!bitsFor || packs.length < 2 || !packs.some((pack) => pack.name === usual)) return usual
  const found: { name: string; bits: number }[] = []
  for (const pack of packs) {
    const canvas = canvasOf(pack)
    if (!canvas) continue
    const { bytes } = await media.read(name, path, pack, { framing })
    const half = bytes.subarray(0, Math.ceil(canvas.height / 2) * rowBytes(canvas))
    // A pack that cannot be run is no choice.
    const bits = await bitsFor(pack.name, half).catch(() => Number.POSITIVE_INFINITY)
    found.push({ name: pack.name, bits: (bits * pixelBytes(canvas)) / half.length })
  }
  const least = Math.min(...found.map(({ bits }) => bits))
  const best = found.filter(({ bits }) => bits === least).map(({ name }) => name)
  return best.includes(usual) ? usual : (best[0] ?? usual)
}

/** Canonical bytes of a file for a pack, what was done to it, and how it was made where it was made here. */
async function readPrompt({ name, framing }: Opening, path: string, packName: string, services: Services) {
  const { media, places, library } = services
  const pack = readPack(findPack(packName, places))
  const { bytes, note, adjustable, ...read } = await media.read(name, path, pack, { framing })
  // Not every file has a place for settings: one that was made here is known by its bytes.
  const same = (item: Item) =>
    item.modality === pack.modality &&
    item.bytes === bytes.length &&
    !item.scored &&
    library.read(item.id).bytes.equals(bytes)
  const settings = read.settings ?? library.list().find(same)?.settings
  return {
    bytes,
    note,
    ...(adjustable ? { adjustable } : {}),
    ...(settings ? { settings } : {}),
  }
}
