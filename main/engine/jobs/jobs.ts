/** Work that runs one after the other; what is only made ready waits until nothing else does. */
export class Jobs {
  private readonly waiting: (() => Promise<void>)[] = []
  private readonly idle: (() => Promise<void>)[] = []
  private running = false

  /** @param whenIdle runs after everything that somebody waits for */
  add(work: () => Promise<void>, whenIdle: boolean): void {
    ;(whenIdle ? this.idle : this.waiting).push(work)
    if (!this.running) void this.run()
  }

  private async run(): Promise<void> {
    this.running = true
    for (let next = this.next(); next; next = this.next()) await next()
    this.running = false
  }

  private next(): (() => Promise<void>) | undefined {
    return this.waiting.shift() ?? this.idle.shift()
  }
}
