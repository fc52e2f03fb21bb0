import type { ListedItem } from "../../contract/app.ts"
import type { Contents } from "./contents.ts"
import type { Core } from "./core.ts"
import type { Drafts } from "./drafts.ts"
import { futuresOf, runOf } from "./works.ts"

/** Which item is in the document, which futures stand beside it, and which patch is looked at. */
export function createShowing(core: Core, drafts: Drafts, contents: Contents) {
  const { get, set, notify } = core

  const read = (id: string) => {
    if (!get().contents.has(id)) void contents.read(id)
  }

  return {
    /** Shows an item with the futures of its run; the settings stay as they are. */
    show(id: string): void {
      const { items, draft } = get()
      const item = items.get(id)
      if (!item) return
      if (draft.typed && draft.text.trim() && draft.parent?.id !== id)
        drafts.replaceDraft({ text: "", name: "", note: "" })
      drafts.setPack(item.settings.pack)
      const shown = futuresOf(items, id).map((f) => f.id)
      set({
        shown,
        chosen: id,
        view: "work",
        editing: false,
        patch: undefined,
        alternatives: undefined,
        surprise: item.scored ?? false,
      })
      for (const future of shown) read(future)
    },
    /** Another future of the run that is shown takes the document's place. */
    choose(id: string): void {
      if (get().shown.includes(id)) set({ chosen: id, editing: false, patch: undefined, alternatives: undefined })
    },
    /** Uses the settings that an item was made with, its seed too. */
    adoptSettings(id: string): void {
      const item = get().items.get(id)
      if (!item || !get().packs.some((p) => p.name === item.settings.pack)) return
      drafts.setPack(item.settings.pack)
      set({ settings: item.settings, fixedSeed: true })
      notify("info", "The settings of this one are in use, and its seed is locked.")
    },
    pickPatch: (patch: number | undefined) => set({ patch, alternatives: undefined }),
    setSurprise: (surprise: boolean) => set({ surprise }),

    /** Futures that came to the run that is shown stand beside it. */
    join(fresh: ListedItem[]): void {
      const { items, chosen, shown } = get()
      const item = chosen === undefined ? undefined : items.get(chosen)
      if (!item || !fresh.some((f) => runOf(f) === runOf(item) && !shown.includes(f.id))) return
      const all = futuresOf(items, item.id).map((f) => f.id)
      set({ shown: all })
      for (const id of all) if (items.get(id)?.status !== "running") read(id)
    },
  }
}
export type Showing = ReturnType<typeof createShowing>
