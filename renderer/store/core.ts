import { createStore } from "zustand/vanilla"
import type { Command } from "../../contract/app.ts"
import { initialState, type Notice, type State } from "./state.ts"

/** What every group of actions works on: the state, the way to the host, and the notices. */
export type Core = ReturnType<typeof createCore>

/** @param send hands a command to the host */
export function createCore(send: (command: Command) => void) {
  const store = createStore<State>(initialState)
  const { getState: get, setState: set } = store
  let key = 0
  const dismiss = (key: number) => set((s) => ({ notices: s.notices.filter((n) => n.key !== key) }))
  /** Good news goes by itself; a problem stays until it is dismissed. */
  const notify = (
    kind: Notice["kind"],
    text: string,
    undo?: () => void,
    seconds = kind === "info" ? 8 : Number.POSITIVE_INFINITY,
    details?: string,
  ) => {
    const notice: Notice = { key: key++, kind, text, ...(undo ? { undo } : {}), ...(details ? { details } : {}) }
    set((s) => ({ notices: [...s.notices.slice(-2), notice] }))
    if (Number.isFinite(seconds)) setTimeout(() => dismiss(notice.key), 1000 * seconds)
  }
  return { store, get, set, send, notify, dismiss }
}
