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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const stack: unknown[] = []
  const memo = new Map<number, unknown>()
  let at = 0

  const take = (count: number): number => {
    if (count > bytes.length - at) throw damaged("it ends too early")
    at += count
    return at - count
  }
  const text = (length: number) => Buffer.from(bytes.subarray(take(length), at)).toString("utf8")
  const line = (): string => {
    const end = bytes.indexOf(10, at)
    if (end < 0 || end - at > 1000) throw damaged("a name does not end")
    return text(end + 1 - at).slice(0, -1)
  }
  const u8 = () => view.getUint8(take(1))
  const u32 = () => view.getUint32(take(4), true)
  const length64 = () => {
    const length = view.getBigUint64(take(8), true)
    if (length > BigInt(bytes.length)) throw damaged("it ends too early")
    return Number(length)
  }
  const whole = (length: number): number | bigint => {
    if (length > LONGEST_NUMBER) throw damaged("a number is too long")
    let value = 0n
    const from = take(length)
    for (let i = length - 1; i >= 0; i--) value = value * 256n + BigInt(view.getUint8(from + i))
    const signed = length ? BigInt.asIntN(8 * length, value) : 0n
    return signed >= Number.MIN_SAFE_INTEGER && signed <= Number.MAX_SAFE_INTEGER ? Number(signed) : signed
  }

  const pop = (): unknown => {
    const value = stack.pop()
    if (value === undefined || value === MARK) throw damaged("it takes what is not there")
    return value
  }
  /** The topmost value, which must stay. */
  const top = (): unknown => {
    const value = stack.at(-1)
    if (value === undefined || value === MARK) throw damaged("it takes what is not there")
    return value
  }
  const popMark = (): unknown[] => {
    const mark = stack.lastIndexOf(MARK)
    if (mark < 0) throw damaged("it takes what is not there")
    return stack.splice(mark).slice(1)
  }
  const remember = (key: number) => memo.set(key, top())
  const recall = (key: number): unknown => {
    const value = memo.get(key)
    if (value === undefined) throw damaged("it takes what is not there")
    return value
  }
  const named = (module: unknown, name: unknown): Global => {
    const full = `${module}.${name}`
    if (!resolver.allows(full))
      throw new ImportError(`It names ${JSON.stringify(full.slice(0, 100))}, which no weights need; nothing was run.`)
    return new Global(full)
  }
  const call = (callee: unknown, args: unknown): unknown => {
    if (!(callee instanceof Global) || !Array.isArray(args)) throw damaged("it calls what cannot be called")
    return resolver.call(callee.name, args) ?? new Inert(callee.name, args)
  }
  const append = (to: unknown, values: unknown[]) => {
    const list = Array.isArray(to) ? to : to instanceof Inert ? to.list : undefined
    if (!list) throw damaged("it extends what is no list")
    for (const value of values) list.push(value)
  }
  const setItems = (to: unknown, values: unknown[]) => {
    const map = to instanceof Map ? to : to instanceof Inert ? to.items : undefined
    if (!map || values.length % 2) throw damaged("it extends what is no dictionary")
    for (let i = 0; i < values.length; i += 2) map.set(values[i], values[i + 1])
  }

  for (let step = 0; step < MOST_STEPS; step++) {
    const code = u8()
    switch (code) {
      case 0x80: {
        const protocol = u8()
        if (protocol < 2 || protocol > 5) throw damaged(`it is of protocol ${protocol}`)
        break
      }
      case 0x95: // FRAME
        take(8)
        break
      case 0x2e: // STOP
        return { value: pop(), end: at }
      case 0x28:
        stack.push(MARK)
        break
      case 0x30: // POP
        if (stack.pop() === undefined) throw damaged("it takes what is not there")
        break
      case 0x31: // POP_MARK
        popMark()
        break
      case 0x32: // DUP
        stack.push(top())
        break
      case 0x4e:
        stack.push(null)
        break
      case 0x88:
        stack.push(true)
        break
      case 0x89:
        stack.push(false)
        break
      case 0x4a: // BININT
        stack.push(view.getInt32(take(4), true))
        break
      case 0x4b: // BININT1
        stack.push(u8())
        break
      case 0x4d: // BININT2
        stack.push(view.getUint16(take(2), true))
        break
      case 0x8a: // LONG1
        stack.push(whole(u8()))
        break
      case 0x8b: // LONG4
        stack.push(whole(u32()))
        break
      case 0x47: // BINFLOAT, the only number that is big-endian
        stack.push(view.getFloat64(take(8)))
        break
      case 0x58: // BINUNICODE
        stack.push(text(u32()))
        break
      case 0x8c: // SHORT_BINUNICODE
        stack.push(text(u8()))
        break
      case 0x8d: // BINUNICODE8
        stack.push(text(length64()))
        break
      case 0x55: // SHORT_BINSTRING, of Python 2
        stack.push(text(u8()))
        break
      case 0x54: // BINSTRING
        stack.push(text(u32()))
        break
      case 0x43: // SHORT_BINBYTES
        stack.push(bytes.slice(take(u8()), at))
        break
      case 0x42: // BINBYTES
        stack.push(bytes.slice(take(u32()), at))
        break
      case 0x8e: // BINBYTES8
        stack.push(bytes.slice(take(length64()), at))
        break
      case 0x5d:
        stack.push([])
        break
      case 0x29:
        stack.push([])
        break
      case 0x7d:
        stack.push(new Map())
        break
      case 0x8f: // EMPTY_SET: a list is enough
        stack.push([])
        break
      case 0x6c: // LIST
      case 0x74: // TUPLE
      case 0x91: // FROZENSET
        stack.push(popMark())
        break
      case 0x85: // TUPLE1
      case 0x86:
      case 0x87: {
        const values: unknown[] = []
        for (let i = 0; i < code - 0x84; i++) values.unshift(pop())
        stack.push(values)
        break
      }
      case 0x64: {
        const map = new Map()
        setItems(map, popMark())
        stack.push(map)
        break
      }
      case 0x61: // APPEND
        append(stack.at(-2), [pop()])
        break
      case 0x65: // APPENDS
      case 0x90: {
        const values = popMark()
        append(top(), values)
        break
      }
      case 0x73: {
        const value = pop()
        const key = pop()
        setItems(top(), [key, value])
        break
      }
      case 0x75: {
        const values = popMark()
        setItems(top(), values)
        break
      }
      case 0x71: // BINPUT
        remember(u8())
        break
      case 0x72: // LONG_BINPUT
        remember(u32())
        break
      case 0x94: // MEMOIZE
        remember(memo.size)
        break
      case 0x68: // BINGET
        stack.push(recall(u8()))
        break
      case 0x6a: // LONG_BINGET
        stack.push(recall(u32()))
        break
      case 0x63: // GLOBAL
        stack.push(named(line(), line()))
        break
      case 0x93: {
        const name = pop()
        stack.push(named(pop(), name))
        break
      }
      case 0x52: // REDUCE
      case 0x81: {
        const args = pop()
        stack.push(call(pop(), args))
        break
      }
      case 0x92: {
        pop() // keyword arguments: nothing that is understood takes any
        const args = pop()
        stack.push(call(pop(), args))
        break
      }
      case 0x62: {
        const state = pop()
        const object = top()
        if (object instanceof Inert) object.state = state
        break
      }
      case 0x51: // BINPERSID
        stack.push(resolver.persistent(pop()))
        break
      default:
        throw damaged(`it has a step of kind ${code}`)
    }
  }
  throw new ImportError("Its pickle is too long; nothing was opened.")
}

const damaged = (why: string) => new ImportError(`Its pickle is damaged or not one of PyTorch: ${why}.`)
