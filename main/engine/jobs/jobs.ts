/** Work that runs one after the other; what is only made ready waits until nothing else does. */
export class Jobs {
  private readonly waiting: (() => Promise<void>)[] = []
  private readonly idle: (() => Promise<void>)[] = []
  private running = false

  /**
   * Runs `work` in its turn.
   * @param whenIdle after everything that somebody waits for
   * @returns what `work` does, or throws
   */
  run<T>(work: () => Promise<T>, whenIdle = false): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      ;(whenIdle ? this.idle : this.waiting).push(() => work().then(resolve, reject))
      if (!this.running) void this.runAll()
    })
  }

  private async runAll(): Promise<void> {
    this.running = true
    for (let next = this.next(); next; next = this.next()) await next()
    this.running = false
  }

  private next(): (() => Promise<void>) | undefined {
    return this.waiting.shift() ?? this.idle.shift()
  }
}
