import type { Framing } from "../../contract/app.ts"
import { hasCode } from "../../contract/errors.ts"
import { LARGEST_FILE, PACK_FILES, tooLarge } from "../../contract/files.ts"
import type { Opened } from "../../contract/window.ts"
import type { Core } from "./core.ts"
import type { Drafts } from "./drafts.ts"
import { heardByBrowser } from "./hear.ts"
import type { Imports } from "./imports.ts"
import { isTyped } from "./packs.ts"
import { keptAtFirst, type Runs } from "./runs.ts"
import { type Draft, emptyDraft } from "./state.ts"
import { upload } from "./uploads.ts"

/** Names of other packages' weights. */
const FOREIGN = /\.(pt|pth|safetensors)$/i

/** What is dropped, pasted, chosen or recorded. */
export function createFiles(core: Core, drafts: Drafts, runs: Runs, imports: Imports) {
  const { get, set, notify } = core
  /** Files that wait for the runs of those before. */
  const queue: File[] = []
  /** Whether the file that was just opened is one of several, and so begins by itself. */
  let several = false

  const actions = {
    /** @param key what the host calls the file, where it has it */
    async openFile(file: File, framing: Framing = { crop: 0.5, dithered: false }, key?: string): Promise<void> {
      if (file.size === 0) return notify("problem", `${file.name} is empty: there is nothing to go on from.`)
      if (file.size > LARGEST_FILE) return notify("problem", tooLarge(file.name, "8 GB"))
      set({ opening: file.name })
      try {
        const { opened, ...from } = await read(core, file, framing, key)
        actions.opened(opened, { file, framing, ...from })
      } catch (error) {
        set({ opening: undefined })
        core.tell(error, `${file.name} was not read`)
        await actions.next()
      }
    },
    /** A file as the host has read it becomes the draft. `from`: what was read, where it is at hand. */
    opened(event: Opened, from?: Omit<NonNullable<Draft["file"]>, "adjustable">): void {
      const { name, note, settings, bytes, adjustable, document } = event
      set({ opening: undefined })
      drafts.setPack(event.pack)
      if (settings) {
        set((s) => ({ settings: { ...settings, pack: s.settings.pack }, fixedSeed: true }))
        notify("info", "It was made here: its settings are restored, and its seed is locked.")
      }
      const canvas = get().packs.find((p) => p.name === event.pack)?.canvas
      const text = !isTyped(event.modality) ? "" : new TextDecoder().decode(bytes)
      // Of a text the host's bytes count where they are those of what is shown.
      const isSame = !isTyped(event.modality) || new TextEncoder().encode(text).length === bytes.length
      const known = isSame ? { opened: { document, bytes, text } } : {}
      const file = from && (adjustable?.crop || adjustable?.dither) ? { file: { ...from, adjustable } } : {}
      drafts.replaceDraft(
        !isTyped(event.modality)
          ? { ...emptyDraft, name, note, media: { bytes, kept: keptAtFirst(bytes, canvas) }, ...file, ...known }
          : { ...emptyDraft, name, note, text, ...(settings ? { made: text } : {}), ...known },
      )
      set({ shown: [], chosen: undefined, view: "work", patch: undefined, surprise: false })
      if (several) runs.generate()
    },
    /** Reads the draft's picture again, framed in another way. */
    async reframe(change: Partial<Framing>): Promise<void> {
      const { file } = get().draft
      if (file && !get().opening) await actions.openFile(file.file, { ...file.framing, ...change }, file.key)
    },
    /** One of the files that came with the app, as if it were dropped. */
    async openExample(name: string): Promise<void> {
      const answer = await fetch(`./examples/${name}`)
      if (!answer.ok) return notify("problem", `The example ${name} cannot be read.`)
      await actions.openFile(new File([await answer.blob()], name))
    },
    /** What was dropped: a pack (its two files, or a folder that holds them), or files to go on from. */
    async drop(files: File[]): Promise<void> {
      const [json, weights] = PACK_FILES.map((name) => files.find((f) => f.name === name))
      if (json && weights) return imports.importPack(json, weights)
      if (json || weights)
        return notify("problem", `A pack is two files, ${PACK_FILES.join(" and ")}; drop both, or their folder.`)
      const [first, ...rest] = files
      if (!first) return
      if (!rest.length && FOREIGN.test(first.name)) return set({ weights: first, view: "models" })
      if (!rest.length) return actions.openFile(first)
      notify("info", `${files.length} files: each is gone on from, one after the other.`)
      queue.push(...files)
      await actions.next()
    },
    /** The next file of a drop of several, once nothing is being written. */
    async next(): Promise<void> {
      const file = get().run || get().opening ? undefined : queue.shift()
      several = file !== undefined
      if (!file) return
      await actions.openFile(file)
      if (file.size === 0) await actions.next()
    },
  }

  return actions
}
export type Files = ReturnType<typeof createFiles>

/** Has the host read a file, by its `key` where the host has it, else handed over. @throws CodedError */
async function read(
  { get, host, notify }: Core,
  file: File,
  framing: Framing,
  key?: string,
): Promise<{ opened: Opened; key: string }> {
  const open = async (key: string) => {
    const { pack } = get().settings
    return { opened: await host.call("open", { name: file.name, pack, file: key, framing }), key }
  }
  try {
    if (key) return await open(key)
  } catch (error) {
    if (!hasCode(error, "gone")) throw error
  }
  const fresh = crypto.randomUUID()
  const heard = await heardByBrowser(file)
  if (heard) notify("info", `The sound of ${file.name} is taken.`)
  await upload(host, heard ?? file, fresh)
  return open(fresh)
}
