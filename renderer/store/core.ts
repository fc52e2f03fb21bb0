import { createStore } from "zustand/vanilla"
import { CodedError, hasCode } from "../../contract/errors.ts"
import type { Params, Result } from "../../contract/rpc.ts"
import type { Method, WindowProtocol } from "../../contract/window.ts"
import type { Host } from "./host.ts"
import { initialState, type Notice, type State } from "./state.ts"

/** What every group of actions works on: the state, the way to the host, and the notices. */
export type Core = ReturnType<typeof createCore>

export function createCore(host: Host) {
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
  /**
   * Tells what went wrong with what was asked for. That the connection was lost is seen anyway, and told only with what
   * that cut off, `cut`: "a.wav was not read".
   */
  const tell = (error: unknown, cut?: string): void => {
    if (hasCode(error, "closed")) {
      if (cut) notify("problem", `${cut}, as the connection was lost; drop it again.`)
      return
    }
    const { message, details } =
      error instanceof CodedError
        ? error
        : { message: "Something went wrong in this window; reload it.", details: String(error) }
    notify("problem", message, undefined, undefined, details)
  }
  /** Asks the host; `take` gets the answer, and a refusal is told. */
  const ask = <N extends Method>(
    name: N,
    params: Params<WindowProtocol, N>,
    take?: (answer: Result<WindowProtocol, N>) => void,
  ): Promise<void> => host.call(name, params).then(take, (error) => tell(error))
  return { store, get, set, host, ask, tell, notify, dismiss }
}
