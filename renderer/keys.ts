import type { Studio } from "./store/store.ts"

/** Whether single letters and digits do something: whoever dictates or types with a stick can turn them off. */
export const lettersOn = () => localStorage.getItem("letters") !== "off"
export const setLetters = (on: boolean) => localStorage.setItem("letters", on ? "on" : "off")

type Keys = { rename(): void }

/** Whether typing goes into what has the focus. */
const isField = (el: EventTarget | null) =>
  el instanceof HTMLElement &&
  (el.isContentEditable || el.matches("textarea, select, input:not([type=range], [type=checkbox], [type=file])"))

const isControl = (el: EventTarget | null) =>
  el instanceof HTMLElement && el.matches("button, a, summary, input, [role=slider], [role=option]")

/** Whether the space bar does something to what has the focus already: not to the strip, nor to a choice that is made. */
const isPressed = (el: EventTarget | null) =>
  isControl(el) && !(el as HTMLElement).matches("canvas, input[type=radio]:checked")

/** Does what a key means, whatever has the focus; returns whether it meant anything. */
export function onKey(e: KeyboardEvent, { store, actions }: Studio, { rename }: Keys): boolean {
  const s = store.getState()
  const item = s.chosen === undefined ? undefined : s.items.get(s.chosen)
  const ctrl = e.ctrlKey || e.metaKey
  if (ctrl && e.key === "Enter") actions.submit()
  else if (ctrl && e.key.toLowerCase() === "f") search(actions)
  else if (ctrl && e.key.toLowerCase() === "n") actions.newDraft()
  else if (ctrl && e.key.toLowerCase() === "s") {
    if (item) actions.save(item.id)
  } else if (e.key === "Escape") closeOrStop(s, actions)
  else if (ctrl || e.altKey || isField(e.target)) return false
  else if (e.key === "F2" && item) rename()
  else if (e.key === "Delete" && item && s.view === "work") actions.remove([item.id])
  else if (e.key === "Enter" && !isControl(e.target) && s.view === "work") actions.submit()
  else if ((e.key === "ArrowLeft" || e.key === "ArrowRight") && !isControl(e.target)) return step(e.key, s, actions)
  else if (e.key === " " && !isPressed(e.target)) return play()
  else return lettersOn() && letter(e.key, s, actions)
  return true
}

type State = ReturnType<Studio["store"]["getState"]>
type Actions = Studio["actions"]

function letter(key: string, s: State, actions: Actions): boolean {
  const item = s.chosen === undefined ? undefined : s.items.get(s.chosen)
  const future = /^[1-8]$/.test(key) ? s.shown[Number(key) - 1] : undefined
  if (key === "?") actions.open({ helpOpen: true })
  else if (key === "n") actions.newDraft()
  else if (!item || s.view !== "work") return false
  else if (future) actions.choose(future)
  else if (key === "b" && s.patch !== undefined) branch(s, actions, item.id)
  else if (key === "s") actions.favourite(item.id, !item.favourite)
  else if (key === "u") actions.setSurprise(!s.surprise)
  else if (key === "e" && !s.run) actions.edit(item.id)
  else return false
  return true
}

function branch(s: State, actions: Actions, id: string): void {
  const pack = s.packs.find((p) => p.name === s.items.get(id)?.settings.pack)
  if (pack && s.patch !== undefined) actions.branch(id, s.patch * pack.patch)
}

/** Closes the innermost of what is open; with nothing open, stops. */
function closeOrStop(s: State, actions: Actions): void {
  if (s.helpOpen) actions.open({ helpOpen: false })
  else if (s.run) actions.stop()
  else if (s.patch !== undefined) actions.pickPatch(undefined)
  else if (s.view === "models") actions.setView(s.chosen === undefined ? "home" : "work")
  else if (s.editing && !s.draft.typed && s.chosen) actions.show(s.chosen)
}

function step(key: string, s: State, actions: Actions): boolean {
  const pack = s.packs.find((p) => p.name === s.items.get(s.chosen ?? "")?.settings.pack)
  const content = s.contents.get(s.chosen ?? "")
  if (!pack || !content || s.editing) return false
  const last = Math.ceil(content.length / pack.patch) - 1
  const to = (s.patch ?? (key === "ArrowRight" ? -1 : last + 1)) + (key === "ArrowRight" ? 1 : -1)
  actions.pickPatch(Math.max(0, Math.min(last, to)))
  return true
}

function search(actions: Actions): void {
  actions.open({ libraryOpen: true })
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>("#library input[type=search]")?.focus())
}

/** The sound that is shown plays or pauses: its own button does it. */
function play(): boolean {
  const button = document.querySelector<HTMLButtonElement>(".sound [data-play], .sound .actions button")
  button?.click()
  return button !== null
}
