/** Whether a run was stopped before there was anything to cancel, and when. */
export type Stopped = (() => boolean) & { early: Promise<"cancelled">; note(): void }

/** Who has the engine's turn: one thing runs at a time, and whatever runs can be stopped. */
export class Turn {
  private running: { cancel(): void } | undefined

  get isFree(): boolean {
    return !this.running
  }

  /** @throws Error with a line for a person */
  assertFree(): void {
    if (this.running) throw new Error("A generation is already running; stop it first.")
  }

  cancel(): void {
    this.running?.cancel()
  }

  /** From here on something runs; until there is something to cancel, stopping is noted. Returns whether it was asked. */
  begin(): Stopped {
    let asked = false
    let tell = (_: "cancelled") => {}
    const early = new Promise<"cancelled">((resolve) => {
      tell = resolve
    })
    this.cancelBy(() => {
      asked = true
      tell("cancelled")
    })
    const note = () => {
      asked = true
    }
    return Object.assign(() => asked, { early, note })
  }

  /** What stops it from here on. */
  cancelBy(cancel: () => void): void {
    this.running = { cancel }
  }

  end(): void {
    this.running = undefined
  }
}
