import { z } from "zod"
import { CodedError, Failure } from "./errors.ts"

/**
 * Calls from one process to another over anything that carries messages: a MessagePort, a child process, a WebSocket
 * (docs/decisions/0006). A call has one answer or one error with a code, and events before it. What arrives is checked.
 */

/** Carries messages, in order, as structured clones: bytes stay bytes. */
export type Channel = {
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
}

/** What one call takes, tells on the way, and gives. */
export type Method = { params: z.ZodType; event?: z.ZodType; result: z.ZodType }
/** What can be called, and what is told without a call. */
export type Protocol = { methods: Record<string, Method>; event?: z.ZodType }

type Methods<P extends Protocol> = P["methods"]
export type MethodName<P extends Protocol> = keyof Methods<P> & string
export type Params<P extends Protocol, N extends MethodName<P>> = z.input<Methods<P>[N]["params"]>
export type Result<P extends Protocol, N extends MethodName<P>> = z.output<Methods<P>[N]["result"]>
type EventOf<T> = T extends { event: infer E extends z.ZodType } ? z.output<E> : never
export type CallEvent<P extends Protocol, N extends MethodName<P>> = EventOf<Methods<P>[N]>

const id = z.int().min(0)
/** Nothing is a value too, and some channels leave it out. */
const value = z.unknown().optional()
const Message = z.discriminatedUnion("type", [
  z.object({ type: z.literal("call"), id, method: z.string(), params: value }),
  /** The caller has had enough: the call ends early, with an answer all the same. */
  z.object({ type: z.literal("abort"), id }),
  /** Without an id it belongs to no call. */
  z.object({ type: z.literal("event"), id: id.optional(), value }),
  z.object({ type: z.literal("result"), id, value }),
  z.object({ type: z.literal("error"), id, failure: Failure }),
])
type Message = z.infer<typeof Message>

/** What of a value is not as its schema says. */
const issuesOf = ({ issues }: z.ZodError) => issues.map((i) => `${i.path.join(".")}: ${i.message}`).join("; ")

type Waiting = {
  method: Method
  onEvent: ((event: unknown) => void) | undefined
  resolve(value: unknown): void
  reject(error: Error): void
}

/** What a client hears besides the answers to its calls. */
export type Listener<P extends Protocol> = {
  event?(event: EventOf<P>): void
  /** Any message at all: the other side is alive. */
  heard?(): void
  /** An event that is not in the contract; it costs itself alone. */
  invalid?(issues: string): void
}

/** The side that calls. */
export class RpcClient<P extends Protocol> {
  private nextId = 1
  private readonly waiting = new Map<number, Waiting>()
  private closed: Error | undefined

  constructor(
    private readonly channel: Channel,
    private readonly protocol: P,
    private readonly listener: Listener<P> = {},
  ) {
    channel.onMessage((message) => this.receive(message))
  }

  /** How many calls wait for their answers. */
  get pending(): number {
    return this.waiting.size
  }

  /**
   * Calls a method of the other side. When `signal` aborts, the other side is told; what it then answers is the result.
   * @throws CodedError as the other side says it, or what `close` was given
   */
  call<N extends MethodName<P>>(
    name: N,
    params: Params<P, N>,
    { onEvent, signal }: { onEvent?: (event: CallEvent<P, N>) => void; signal?: AbortSignal } = {},
  ): Promise<Result<P, N>> {
    const id = this.nextId++
    const method = this.protocol.methods[name] as Method
    const abort = () => this.channel.send({ type: "abort", id } satisfies Message)
    return new Promise<Result<P, N>>((resolve, reject) => {
      if (this.closed) return reject(this.closed)
      this.waiting.set(id, {
        method,
        onEvent: onEvent as Waiting["onEvent"],
        resolve: resolve as Waiting["resolve"],
        reject,
      })
      this.channel.send({ type: "call", id, method: name, params } satisfies Message)
      if (signal?.aborted) abort()
      else signal?.addEventListener("abort", abort)
    }).finally(() => {
      this.waiting.delete(id)
      signal?.removeEventListener("abort", abort)
    })
  }

  /** The other side is gone: whoever waits, and whoever calls from here on, gets `error`. */
  close(error: Error): void {
    this.closed ??= error
    for (const { reject } of [...this.waiting.values()]) reject(this.closed)
  }

  private receive(raw: unknown): void {
    this.listener.heard?.()
    const { success, data: message, error } = Message.safeParse(raw)
    if (!success) this.listener.invalid?.(issuesOf(error))
    else if (message.type === "event") this.receiveEvent(message)
    else if (message.type === "result") this.receiveResult(message)
    else if (message.type === "error") {
      const { code, message: text, details } = message.failure
      this.waiting.get(message.id)?.reject(new CodedError(code, text, { details }))
    }
  }

  private receiveResult({ id, value }: Message & { type: "result" }): void {
    const waiting = this.waiting.get(id)
    const result = waiting?.method.result.safeParse(value)
    if (!waiting || !result) return
    if (result.success) waiting.resolve(result.data)
    else waiting.reject(new CodedError("invalid", `The answer was not valid (${issuesOf(result.error)}).`))
  }

  private receiveEvent({ id, value }: Message & { type: "event" }): void {
    const waiting = id === undefined ? undefined : this.waiting.get(id)
    const schema = id === undefined ? this.protocol.event : waiting?.method.event
    const event = schema?.safeParse(value)
    if (!event) return
    if (!event.success) this.listener.invalid?.(issuesOf(event.error))
    else if (waiting) waiting.onEvent?.(event.data)
    else this.listener.event?.(event.data as EventOf<P>)
  }
}

/** What a handler has besides its parameters. */
export type Call<E = never> = { emit(event: E): void; signal: AbortSignal }

export type Handlers<P extends Protocol> = {
  [N in MethodName<P>]: (
    params: z.output<Methods<P>[N]["params"]>,
    call: Call<CallEvent<P, N>>,
  ) => z.input<Methods<P>[N]["result"]> | Promise<z.input<Methods<P>[N]["result"]>>
}

/**
 * The side that is called: runs the handler of each call that is in the contract.
 * @param failureOf what the caller is told of an error that a handler throws
 * @param mostCalls that may wait for their answers; further ones are refused
 * @returns how to tell the other side something without a call
 */
export function serveRpc<P extends Protocol>(
  channel: Channel,
  protocol: P,
  handlers: Handlers<P>,
  failureOf: (error: unknown, method: MethodName<P>) => Failure,
  mostCalls = Number.POSITIVE_INFINITY,
): (event: EventOf<P>) => void {
  const running = new Map<number, AbortController>()
  const send = (message: Message) => channel.send(message)

  async function answer({ id, method: name, params }: Message & { type: "call" }): Promise<void> {
    const fail = (failure: Failure) => send({ type: "error", id, failure })
    const refuse = (why: string) => fail({ code: "invalid", message: `That was not understood (${why}).` })
    const method = Object.hasOwn(protocol.methods, name) ? protocol.methods[name] : undefined
    if (!method || running.has(id)) return refuse(method ? `call ${id} twice` : `no method ${name.slice(0, 100)}`)
    if (running.size >= mostCalls)
      return fail({ code: "refused", message: "Too much was asked for at once; try again in a moment." })
    const parsed = method.params.safeParse(params)
    if (!parsed.success) return refuse(issuesOf(parsed.error))
    const controller = new AbortController()
    running.set(id, controller)
    const emit = (value: unknown) => send({ type: "event", id, value })
    const handler = handlers[name as MethodName<P>] as (params: unknown, call: Call<unknown>) => unknown
    try {
      send({ type: "result", id, value: await handler(parsed.data, { emit, signal: controller.signal }) })
    } catch (error) {
      fail(failureOf(error, name as MethodName<P>))
    } finally {
      running.delete(id)
    }
  }

  channel.onMessage((raw) => {
    const parsed = Message.safeParse(raw)
    if (!parsed.success) return // nobody waits for it
    if (parsed.data.type === "call") void answer(parsed.data)
    else if (parsed.data.type === "abort") running.get(parsed.data.id)?.abort()
  })
  return (value) => send({ type: "event", value })
}
