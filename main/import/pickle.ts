import { ImportError } from "./error.ts"

/**
 * Reads Python pickles of protocols 2 to 5 as data. Nothing is called or executed: what a pickle names must stand in a list,
 * and what it builds is a value of the kinds below or an `Inert` record of what it would have built.
 */

/** A class or function that a pickle names, such as "collections.OrderedDict". */
export class Global {
  constructor(readonly name: string) {}
}

/** An object of Python as far as its pickle describes it. */
export class Inert {
  /** What its attributes are set from. */
  state: unknown
  readonly items = new Map<unknown, unknown>()
  readonly list: unknown[] = []
  constructor(
    readonly type: string,
    readonly args: unknown[],
  ) {}
}

/** How a reader takes what is not plain data. */
export type Resolver = {
  /** Whether a pickle may name this. */
  allows(name: string): boolean
  /** What calling `name` stands for; undefined: an Inert record. */
  call(name: string, args: unknown[]): unknown
  /** What a persistent id stands for: storages. */
  persistent(id: unknown): unknown
}

/** Steps of one pickle at most; a checkpoint of a thousand tensors with its optimizer has a hundred thousand. */
const MOST_STEPS = 2_000_000
/** Bytes of a whole number at most. */
const LONGEST_NUMBER = 256

const MARK = Symbol("mark")

/**
 * Reads one pickle from `bytes`.
 * @returns its value, and where the next one begins
 * @throws ImportError with a line for a person where it is damaged, too large or names what is not allowed
 */
export function unpickle(bytes: Uint8Array, resolver: Resolver): { value: unknown; end: number } {
  const machine = new Machine(bytes, resolver)
  for (let count = 0; count < MOST_STEPS; count++) {
    const code = machine.u8()
    if (code === STOP) return { value: machine.pop(), end: machine.at }
    const step = steps[code]
    if (!step) throw damaged(`it has a step of kind ${code}`)
    step(machine)
  }
  throw new ImportError("Its pickle is too long; nothing was opened.")
}

/** The machine that pickles are programs of: a stack of values, some of them remembered by numbers. */
class Machine {
  /** Where the next step is read. */
  at = 0
  readonly stack: unknown[] = []
  private readonly view: DataView
  private readonly memo = new Map<number, unknown>()

  constructor(
    private readonly bytes: Uint8Array,
    readonly resolver: Resolver,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Where the next `count` bytes begin, which are read by that. */
  private take(count: number): number {
    if (count > this.bytes.length - this.at) throw damaged("it ends too early")
    this.at += count
    return this.at - count
  }

  skip(count: number): void {
    this.take(count)
  }

  data(length: number): Uint8Array {
    return this.bytes.slice(this.take(length), this.at)
  }

  text(length: number): string {
    return Buffer.from(this.bytes.subarray(this.take(length), this.at)).toString("utf8")
  }

  line(): string {
    const end = this.bytes.indexOf(10, this.at)
    if (end < 0 || end - this.at > 1000) throw damaged("a name does not end")
    return this.text(end + 1 - this.at).slice(0, -1)
  }

  u8(): number {
    return this.view.getUint8(this.take(1))
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true)
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true)
  }

  i32(): number {
    return this.view.getInt32(this.take(4), true)
  }

  /** The only number that is big-endian. */
  f64(): number {
    return this.view.getFloat64(this.take(8))
  }

  length64(): number {
    const length = this.view.getBigUint64(this.take(8), true)
    if (length > BigInt(this.bytes.length)) throw damaged("it ends too early")
    return Number(length)
  }

  /** A signed whole number of `length` bytes. */
  whole(length: number): number | bigint {
    if (length > LONGEST_NUMBER) throw damaged("a number is too long")
    let value = 0n
    const from = this.take(length)
    for (let i = length - 1; i >= 0; i--) value = value * 256n + BigInt(this.view.getUint8(from + i))
    const signed = length ? BigInt.asIntN(8 * length, value) : 0n
    return signed >= Number.MIN_SAFE_INTEGER && signed <= Number.MAX_SAFE_INTEGER ? Number(signed) : signed
  }

  push(value: unknown): void {
    this.stack.push(value)
  }

  pop(): unknown {
    return there(this.stack.pop())
  }

  /** The topmost value, which must stay. */
  top(): unknown {
    return there(this.stack.at(-1))
  }

  /** All values above the last mark, and the mark itself, leave the stack. */
  popMark(): unknown[] {
    const mark = this.stack.lastIndexOf(MARK)
    if (mark < 0) throw damaged("it takes what is not there")
    return this.stack.splice(mark).slice(1)
  }

  remember(key = this.memo.size): void {
    this.memo.set(key, this.top())
  }

  recall(key: number): void {
    this.push(there(this.memo.get(key)))
  }

  global(module: unknown, name: unknown): void {
    const full = `${module}.${name}`
    if (!this.resolver.allows(full))
      throw new ImportError(`It names ${JSON.stringify(full.slice(0, 100))}, which no weights need; nothing was run.`)
    this.push(new Global(full))
  }

  call(callee: unknown, args: unknown): void {
    if (!(callee instanceof Global) || !Array.isArray(args)) throw damaged("it calls what cannot be called")
    this.push(this.resolver.call(callee.name, args) ?? new Inert(callee.name, args))
  }
}

/** A value that a step takes. */
function there(value: unknown): unknown {
  if (value === undefined || value === MARK) throw damaged("it takes what is not there")
  return value
}

function append(to: unknown, values: unknown[]): void {
  const list = Array.isArray(to) ? to : to instanceof Inert ? to.list : undefined
  if (!list) throw damaged("it extends what is no list")
  for (const value of values) list.push(value)
}

function setItems(to: unknown, values: unknown[]): void {
  const map = to instanceof Map ? to : to instanceof Inert ? to.items : undefined
  if (!map || values.length % 2) throw damaged("it extends what is no dictionary")
  for (let i = 0; i < values.length; i += 2) map.set(values[i], values[i + 1])
}

/** The last `count` values, as a tuple. */
function tuple(m: Machine, count: number): void {
  const values: unknown[] = []
  for (let i = 0; i < count; i++) values.unshift(m.pop())
  m.push(values)
}

function appends(m: Machine): void {
  const values = m.popMark()
  append(m.top(), values)
}

/** REDUCE and NEWOBJ: a call, or what a call of the class would make. */
function call(m: Machine): void {
  const args = m.pop()
  m.call(m.pop(), args)
}

const STOP = 0x2e

/** What the steps do, by their codes; names as in Python's pickletools. */
const steps: Record<number, (m: Machine) => void> = {
  // Numbers, texts and bytes.
  78: (m) => m.push(null),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  74: (m) => m.push(m.i32()), // BININT
  75: (m) => m.push(m.u8()), // BININT1
  77: (m) => m.push(m.u16()), // BININT2
  138: (m) => m.push(m.whole(m.u8())), // LONG1
  139: (m) => m.push(m.whole(m.u32())), // LONG4
  71: (m) => m.push(m.f64()), // BINFLOAT
  88: (m) => m.push(m.text(m.u32())), // BINUNICODE
  140: (m) => m.push(m.text(m.u8())), // SHORT_BINUNICODE
  141: (m) => m.push(m.text(m.length64())), // BINUNICODE8
  85: (m) => m.push(m.text(m.u8())), // SHORT_BINSTRING, of Python 2
  84: (m) => m.push(m.text(m.u32())), // BINSTRING
  67: (m) => m.push(m.data(m.u8())), // SHORT_BINBYTES
  66: (m) => m.push(m.data(m.u32())), // BINBYTES
  142: (m) => m.push(m.data(m.length64())), // BINBYTES8

  // Lists, tuples and dictionaries.
  40: (m) => m.push(MARK),
  93: (m) => m.push([]), // EMPTY_LIST
  41: (m) => m.push([]), // EMPTY_TUPLE
  143: (m) => m.push([]), // EMPTY_SET: a list is enough
  125: (m) => m.push(new Map()), // EMPTY_DICT
  108: (m) => m.push(m.popMark()), // LIST
  116: (m) => m.push(m.popMark()), // TUPLE
  145: (m) => m.push(m.popMark()), // FROZENSET
  133: (m) => tuple(m, 1),
  134: (m) => tuple(m, 2),
  135: (m) => tuple(m, 3),
  100: (m) => {
    const map = new Map() // DICT
    setItems(map, m.popMark())
    m.push(map)
  },
  97: (m) => append(m.stack.at(-2), [m.pop()]), // APPEND
  101: appends,
  144: appends, // ADDITEMS
  115: (m) => {
    const value = m.pop() // SETITEM
    const key = m.pop()
    setItems(m.top(), [key, value])
  },
  117: (m) => {
    const values = m.popMark() // SETITEMS
    setItems(m.top(), values)
  },

  // The stack and what is remembered.
  48: (m) => {
    if (m.stack.pop() === undefined) throw damaged("it takes what is not there") // POP, which takes a mark too
  },
  49: (m) => void m.popMark(), // POP_MARK
  50: (m) => m.push(m.top()), // DUP
  113: (m) => m.remember(m.u8()), // BINPUT
  114: (m) => m.remember(m.u32()), // LONG_BINPUT
  148: (m) => m.remember(), // MEMOIZE
  104: (m) => m.recall(m.u8()), // BINGET
  106: (m) => m.recall(m.u32()), // LONG_BINGET

  // What is not plain data.
  99: (m) => m.global(m.line(), m.line()),
  147: (m) => {
    const name = m.pop() // STACK_GLOBAL
    m.global(m.pop(), name)
  },
  82: call,
  129: call,
  146: (m) => {
    m.pop() // NEWOBJ_EX; keyword arguments: nothing that is understood takes any
    call(m)
  },
  98: (m) => {
    const state = m.pop() // BUILD
    const object = m.top()
    if (object instanceof Inert) object.state = state
  },
  81: (m) => m.push(m.resolver.persistent(m.pop())), // BINPERSID

  // The pickle itself.
  128: (m) => {
    const protocol = m.u8()
    if (protocol < 2 || protocol > 5) throw damaged(`it is of protocol ${protocol}`)
  },
  149: (m) => m.skip(8), // FRAME
}

const damaged = (why: string) => new ImportError(`Its pickle is damaged or not one of PyTorch: ${why}.`)
