import { extname } from "node:path"
import type { FileForm, Item, Settings } from "../../contract/app.ts"
import { modalities } from "../../contract/modality/index.ts"
import { documentsOf, type Pack } from "../../contract/pack.ts"
import { headingOf, UNTITLED } from "../../contract/title.ts"
import type { Exported } from "../../contract/window.ts"
import { readPack } from "../packs/read.ts"
import type { Library } from "./library.ts"
import { media } from "./media/index.ts"
import { type AppPaths, findPack } from "./packs/find.ts"

/** Modality of a pack's items, and the names of their files. */
export const formOf = (pack: Pack): Pick<Item, "modality" | "file" | "raw"> => ({
  modality: pack.modality,
  ...documentsOf(pack).files,
})

/** An item as a file to save, with the settings that made it where they did. @throws Error for a foreign form */
export async function exportItem(id: string, form: FileForm, places: AppPaths, library: Library): Promise<Exported> {
  const { title, settings, scored } = library.get(id)
  const pack = readPack(findPack(settings.pack, places))
  const { [form]: kind } = modalities[pack.modality].forms
  if (!kind) throw new Error("This pack does not make files of that kind; nothing was written.")
  const how = { settings: scored ? undefined : settings }
  const file = await media[pack.modality].write(form, library.read(id).bytes, pack, how)
  // Where the file is the bytes as they are, the pack names its ending.
  const { raw, file: ordinary } = documentsOf(pack).files
  const extension = raw ? kind.extension : extname(ordinary)
  const { mime } = kind
  return { title, extension, mime, bytes: new Uint8Array(file) }
}

/** Writes the ordinary file of what has been made so far, where that is not its bytes as they are. */
export async function saveFile(library: Library, id: string, pack: Pack, settings?: Settings): Promise<void> {
  const [form] = Object.keys(modalities[pack.modality].forms)
  if (!documentsOf(pack).files.raw || !form) return
  library.writeFile(id, await media[pack.modality].write(form, library.read(id).bytes, pack, { settings }))
}

/** A title from the beginning of what was given, or from the style. */
export function titleOf(pack: Pack, settings: Settings, given: Uint8Array): string {
  const { noun, typed } = modalities[pack.modality]
  const style = settings.style ? documentsOf(pack).styles[settings.style] : undefined
  if (!typed) return style ? `A ${noun}: ${style}` : `A ${noun}`
  const text = new TextDecoder().decode(given.subarray(0, 300))
  const line = headingOf(text) ?? text.replace(/\s+/g, " ").trim()
  return line ? line.slice(0, 60) : UNTITLED
}
