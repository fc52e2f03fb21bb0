import type { Settings } from "../../contract/app.ts"
import { hasCode } from "../../contract/errors.ts"
import type { Params } from "../../contract/rpc.ts"
import type { WindowProtocol } from "../../contract/window.ts"
import type { Core } from "./core.ts"
import { begun, newSeed } from "./state.ts"

/** Asks the host for runs. `refused` hears of what it does not begin. */
export function createBeginner({ get, set, host, tell }: Core, refused: () => void) {
  /** What the run that was asked for begins with: shown before the host has read it. */
  let asked: Uint8Array | undefined

  /**
   * Asks for a run; until the host tells of it nothing else can be begun.
   * @param given the bytes that it begins with, which are sent where the host no longer has what they were named by
   */
  function begin<N extends "generate" | "continue" | "score">(
    name: N,
    params: Params<WindowProtocol, N>,
    given?: Uint8Array,
  ): void {
    asked = name === "generate" ? given : undefined
    set({
      run: begun({ ids: [], total: 0, made: 0, unit: "bytes", asked: true }),
      surprise: false,
      patch: undefined,
      alternatives: undefined,
      view: "work",
    })
    const withBytes = (error: unknown) => {
      if (!given || !hasCode(error, "gone")) throw error
      return host.call(name, { ...params, given })
    }
    host
      .call(name, params)
      .catch(withBytes)
      .catch((error: unknown) => {
        if (hasCode(error, "closed")) return // the host says what is on once it is there again
        // The draft is in no item.
        if (get().run?.asked) set((s) => ({ run: undefined, draft: { ...s.draft, typed: s.draft.text !== "" } }))
        tell(error)
        refused()
      })
  }

  return {
    begin,
    /** The beginning of the run that was asked for, once. */
    takeAsked(): Uint8Array | undefined {
      const bytes = asked
      asked = undefined
      return bytes
    },
  }
}
export type Beginner = ReturnType<typeof createBeginner>

/** Settings for a new generation: a fresh seed unless it is held. */
export function nextSettings({ get, set }: Core): Settings {
  const { settings, fixedSeed } = get()
  const next = fixedSeed ? settings : { ...settings, seed: newSeed() }
  set({ settings: next })
  return next
}
