import { rowBytes } from "../../contract/pack.ts"
import { pictureDraft } from "../lib/pixels.ts"
import { createBeginner } from "./begin.ts"
import type { Core } from "./core.ts"
import { createDraftRuns } from "./draft-runs.ts"
import type { Drafts } from "./drafts.ts"
import { createItemRuns } from "./item-runs.ts"
import { isTyped, packOf } from "./packs.ts"
import { emptyDraft } from "./state.ts"

/** Every run of a window: from the draft, from an item; stopping it, and what could have stood in it. `refused` hears of what the host does not begin. */
export function createRuns(core: Core, drafts: Drafts, refused: () => void) {
  const { get, set, ask } = core
  const beginner = createBeginner(core, refused)
  const items = createItemRuns(core, beginner)

  return {
    ...items,
    ...createDraftRuns(core, drafts, beginner, items),
    takeAsked: beginner.takeAsked,
    stop: () => ask("stop", {}),

    /** What else could have stood in a patch, by the model's own probabilities. */
    askAlternatives(id: string, patch: number): void {
      const { items, packs, run } = get()
      const pack = packs.find((p) => p.name === items.get(id)?.settings.pack)
      if (!pack || run) return
      const at = patch * pack.patch
      void ask("alternatives", { id, at }, (bytes) => id === get().chosen && set({ alternatives: { id, at, bytes } }))
    },

    /** Puts an item's whole content into the draft, to be changed in its place. */
    edit(id: string) {
      const item = get().items.get(id)
      const bytes = get().contents.get(id)?.bytes
      if (!item || !bytes) return
      drafts.setPack(item.settings.pack)
      const pack = packOf(get())
      const parent = { id, at: bytes.length }
      if (isTyped(item.modality)) {
        const text = new TextDecoder().decode(bytes)
        drafts.replaceDraft({ ...emptyDraft, text, made: text, parent })
        return set({ editing: true })
      }
      const media = pack?.canvas
        ? pictureDraft(bytes, pack.canvas, item.settings.columns)
        : { bytes: bytes.slice(), kept: bytes.length }
      drafts.replaceDraft({ ...emptyDraft, media, parent, name: item.title })
      set({ shown: [], chosen: undefined, patch: undefined, view: "work" })
    },
  }
}

/** Bytes of a dropped picture or sound that are kept at first: half the rows, or all. */
export function keptAtFirst(content: Uint8Array, canvas: Parameters<typeof rowBytes>[0] | undefined): number {
  return canvas ? Math.floor(canvas.height / 2) * rowBytes(canvas) : content.length
}

export type Runs = ReturnType<typeof createRuns>
