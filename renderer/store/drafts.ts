import type { Settings } from "../../contract/app.ts"
import type { Core } from "./core.ts"
import { isTyped, packOf, usualSettings } from "./packs.ts"
import { type Draft, emptyDraft } from "./state.ts"

/** What is being written, and the settings of the next generation. */
export function createDrafts(core: Core) {
  const { get, set, ask, notify, store } = core
  /** Each pack keeps its own settings while another one is in use. */
  const remembered = new Map<string, Settings>()

  /** What is being written goes to the host soon after, so that a crash or a closed window costs nothing. */
  let kept = ""
  let keeping: ReturnType<typeof setTimeout> | undefined
  store.subscribe(({ draft }) => {
    const text = draft.typed ? draft.text : ""
    if (text === kept) return
    kept = text
    clearTimeout(keeping)
    keeping = setTimeout(() => ask("draft", { text }), 300)
  })

  /** Another pack, with its own settings; what was drafted for another kind is put away. */
  function setPack(name: string): void {
    const { packs, settings } = get()
    const pack = packs.find((p) => p.name === name)
    const before = packOf(get())
    if (!pack || settings.pack === name) return
    if (before) remembered.set(before.name, settings)
    if (pack.modality !== before?.modality || !isTyped(pack.modality)) replaceDraft(emptyDraft)
    set({ settings: remembered.get(name) ?? usualSettings(pack) })
  }

  /** Another draft; what the person had written can be brought back. */
  function replaceDraft(draft: Draft): void {
    const { draft: before, settings } = get()
    set({ draft, editing: false })
    if (before.typed && before.text.trim()) putAway(before, settings.pack)
  }

  function putAway(draft: Draft, pack: string): void {
    const bringBack = () => {
      setPack(pack)
      replaceDraft(draft)
      set({ shown: [], chosen: undefined, view: "work" })
    }
    notify("info", "The text that you had begun was put away.", bringBack, Number.POSITIVE_INFINITY)
  }

  return {
    setPack,
    replaceDraft,
    putAway,
    setDraft(change: Partial<Draft>): void {
      const typed = change.text !== undefined
      set((s) => {
        const { caret: _, ...before } = s.draft
        return { draft: typed ? { ...before, ...change, typed } : { ...s.draft, ...change } }
      })
    },
    setSettings: (change: Partial<Settings>) => set((s) => ({ settings: { ...s.settings, ...change } })),
    holdSeed: (fixedSeed: boolean) => set({ fixedSeed }),
    /** The first screen, ready to be typed on. */
    newDraft(text = ""): void {
      replaceDraft({ ...emptyDraft, text })
      const beginnings = get().beginnings + 1
      set({ beginnings, shown: [], chosen: undefined, view: "home", patch: undefined, surprise: false })
    },
    /** An empty work of a pack's kind. */
    newWork(pack: string): void {
      setPack(pack)
      replaceDraft(emptyDraft)
      set({ shown: [], chosen: undefined, view: "work", patch: undefined, surprise: false })
    },
  }
}
export type Drafts = ReturnType<typeof createDrafts>
