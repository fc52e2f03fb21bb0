import { isWithinWord } from "../../contract/characters.ts"
import type { Given } from "../../contract/window.ts"
import { givenOf } from "../lib/pixels.ts"
import { type Beginner, nextSettings } from "./begin.ts"
import type { Core } from "./core.ts"
import type { Drafts } from "./drafts.ts"
import type { ItemRuns } from "./item-runs.ts"
import { isTyped, packOf } from "./packs.ts"
import { emptyDraft, type State } from "./state.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)

/** Bytes that two beginnings share. */
function sharedBytes(a: Uint8Array, b: Uint8Array): number {
  let same = 0
  while (same < Math.min(a.length, b.length) && a[same] === b[same]) same++
  return same
}

/** The canonical bytes of the draft, up to `caret`, the chosen row or the chosen time. */
function givenOfDraft(state: State, caret?: number): Uint8Array {
  const { draft } = state
  const pack = packOf(state)
  if (draft.media && pack?.canvas) return givenOf(draft.media, pack.canvas)
  if (pack && !isTyped(pack.modality)) return draft.media?.bytes.subarray(0, draft.media.kept) ?? new Uint8Array()
  return utf8(caret === undefined ? draft.text : draft.text.slice(0, caret))
}

/** The draft's bytes by the host's own name for them, where it has them: as they were opened, up to any place. */
function named({ draft }: State, bytes: Uint8Array, text = ""): Given {
  const { opened, media } = draft
  const isThere = opened && (media ? media.bytes === opened.bytes : opened.text.startsWith(text))
  return isThere ? { document: opened.document, length: bytes.length } : bytes
}

/** Runs that begin with the draft. */
export function createDraftRuns(core: Core, drafts: Drafts, { begin }: Beginner, items: ItemRuns) {
  const { get, set } = core

  const actions = {
    /** Goes on after the draft; in a text, after the caret. */
    generate() {
      const { run, draft } = get()
      if (run) return
      const bytes = givenOfDraft(get(), draft.caret)
      const rest = draft.caret === undefined ? "" : draft.text.slice(draft.caret)
      const parent = draft.parent && { ...draft.parent, at: Math.min(draft.parent.at, bytes.length) }
      // What comes after the caret is in no item: it can be brought back.
      if (draft.typed && rest.trim()) drafts.putAway(draft, get().settings.pack)
      set({ draft: { ...draft, typed: false } })
      const title = draft.media && draft.name ? { name: draft.name } : {}
      const kept = draft.caret === undefined ? draft.text : draft.text.slice(0, draft.caret)
      const withinWord = (rest !== "" && isWithinWord(kept, rest)) || draft.text === draft.made
      const settings = { ...nextSettings(core), withinWord, columns: draft.media?.columns }
      begin("generate", { settings, given: named(get(), bytes, kept), ...title, ...(parent ? { parent } : {}) }, bytes)
    },

    /** Eight pictures that begin with what is kept of the draft's. */
    makeEight() {
      drafts.setSettings({ variations: 8 })
      actions.generate()
    },

    /** What Ctrl+Enter means: go on with what is in the document. */
    submit() {
      const { chosen, editing, draft } = get()
      if (chosen && !editing) {
        items.continueItem(chosen)
        return
      }
      const origin = draft.parent && get().items.get(draft.parent.id)
      const alike = Boolean(origin?.settings.columns) === Boolean(draft.media?.columns)
      const before = draft.parent && alike ? get().contents.get(draft.parent.id) : undefined
      const same = before && sharedBytes(before.bytes, givenOfDraft(get()))
      const whole = before && same === before.length && givenOfDraft(get()).length === before.length
      const atEnd = draft.caret === undefined || draft.caret >= draft.text.length
      if (whole && atEnd && draft.parent) {
        items.continueItem(draft.parent.id)
        return
      }
      if (draft.parent && same !== undefined) set({ draft: { ...draft, parent: { ...draft.parent, at: same } } })
      actions.generate()
    },

    /** A work that begins at once, from a card of the first screen. */
    beginWith(pack: string, text: string, style: number): void {
      if (get().run) return
      drafts.setPack(pack)
      drafts.replaceDraft({ ...emptyDraft, text })
      drafts.setSettings({ style })
      actions.generate()
    },

    scoreDraft(): void {
      const { draft, settings, run } = get()
      const bytes = draft.media?.bytes ?? givenOfDraft(get())
      if (!bytes.length || run) return
      const name = draft.name || "the prompt"
      set({ draft: { ...draft, typed: false } })
      begin("score", { pack: settings.pack, name, given: named(get(), bytes, draft.text) }, bytes)
    },
  }
  return actions
}
