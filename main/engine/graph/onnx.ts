import { createHash } from "node:crypto"
import protobuf from "protobufjs"
import { toHalf } from "../float16.ts"

/**
 * Writes ONNX graphs node by node. The schema is the part of onnx.proto3 (ONNX 1.17, IR version 10) that is used
 * here; protobufjs does the encoding.
 */
const schema = protobuf.parse(
  `
  syntax = "proto3";
  message StringStringEntryProto { string key = 1; string value = 2; }
  message TensorProto {
    repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9;
    repeated StringStringEntryProto external_data = 13; int32 data_location = 14;
  }
  message AttributeProto {
    string name = 1; float f = 2; int64 i = 3; bytes s = 4; GraphProto g = 6;
    repeated float floats = 7; repeated int64 ints = 8; int32 type = 20;
  }
  message NodeProto {
    repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
    repeated AttributeProto attribute = 5; string domain = 7;
  }
  message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
  message TensorShapeProto { repeated Dimension dim = 1; }
  message TensorTypeProto { int32 elem_type = 1; TensorShapeProto shape = 2; }
  message TypeProto { TensorTypeProto tensor_type = 1; }
  message ValueInfoProto { string name = 1; TypeProto type = 2; }
  message GraphProto {
    repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5;
    repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
  }
  message OperatorSetIdProto { string domain = 1; int64 version = 2; }
  message ModelProto {
    int64 ir_version = 1; string producer_name = 2; GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8;
  }
`,
  { keepCase: true },
).root
const ModelProto = schema.lookupType("ModelProto")

const dataTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11 } as const
export type DataType = keyof typeof dataTypes
/** A tensor in the graph, by its name. */
export type Value = string & { readonly graphValue?: never }
export type Dim = number | string

/** Where an initializer's bytes lie in the weights file. */
export type ExternalTensor = { type: DataType; dims: number[]; offset: number; length: number }

type Attribute = number | string | readonly number[] | { float: number } | { graph: object }
type Message = Record<string, unknown>

/** Marks an attribute as a float: a plain number is an integer attribute. */
export const float = (x: number) => ({ float: x })

const attribute = (name: string, value: Attribute): Message => {
  if (typeof value === "number") return { name, i: value, type: 2 }
  if (typeof value === "string") return { name, s: Buffer.from(value), type: 3 }
  if ("float" in value) return { name, f: value.float, type: 1 }
  if ("graph" in value) return { name, g: value.graph, type: 5 }
  return { name, ints: [...value], type: 7 }
}

const contribOps = new Set([
  "DynamicQuantizeMatMul",
  "FastGelu",
  "FusedMatMul",
  "Gelu",
  "GroupQueryAttention",
  "MatMulNBits",
  "QuickGelu",
  "RotaryEmbedding",
  "SkipLayerNormalization",
  "SkipSimplifiedLayerNormalization",
])

/** A graph under construction. Bodies of a Loop are graphs whose constants live in the outermost one. */
export class Graph {
  private readonly nodes: Message[] = []
  private readonly inputs: Message[] = []
  private readonly outputs: Message[] = []
  private readonly initializers: Message[] = []
  private readonly known = new Map<string, Value>()
  private readonly root: Graph
  /** Values that are graph outputs, by the names they go out under. */
  private readonly aliases = new Map<Value, string>()
  private counter = 0

  /** `locate` says where a weight lies in `weightsFile`, beside the model file. */
  constructor(
    readonly name: string,
    private readonly locate: (weight: string) => ExternalTensor,
    private readonly weightsFile: string,
    outer?: Graph,
  ) {
    this.root = outer?.root ?? this
  }

  private fresh(hint: string): Value {
    return `${hint}_${this.root.counter++}`
  }

  private info(name: string, type: DataType, shape: readonly Dim[]): Message {
    const dim = shape.map((d) => (typeof d === "number" ? { dim_value: d } : { dim_param: d }))
    return { name, type: { tensor_type: { elem_type: dataTypes[type], shape: { dim } } } }
  }

  input(name: string, type: DataType, shape: readonly Dim[]): Value {
    this.inputs.push(this.info(name, type, shape))
    return name
  }

  /** Makes `value` a graph output called `name`: the node that makes it gives it that name, without a copy. */
  output(name: string, value: Value, type: DataType, shape: readonly Dim[]): void {
    const made = this.nodes.some((n) => (n.output as string[]).includes(value))
    if (made && !this.aliases.has(value)) this.aliases.set(value, name)
    else this.nodes.push({ op_type: "Identity", input: [value], output: [name], name: `output_${name}` })
    this.outputs.push(this.info(name, type, shape))
  }

  /** Adds a node with `count` outputs. An empty input name leaves an optional input out. */
  nodesOut(count: number, op: string, inputs: Value[], attributes: Record<string, Attribute> = {}): Value[] {
    const output = Array.from({ length: count }, () => this.fresh(op))
    this.nodes.push({
      op_type: op,
      name: output[0],
      input: inputs,
      output,
      domain: contribOps.has(op) ? "com.microsoft" : "",
      attribute: Object.entries(attributes).map(([k, v]) => attribute(k, v)),
    })
    return output
  }

  /** Adds a node with one output. */
  node(op: string, inputs: Value[], attributes: Record<string, Attribute> = {}): Value {
    return this.nodesOut(1, op, inputs, attributes)[0] as Value
  }

  /** Adds a node that joins `parts` along `axis`; one part alone needs none. */
  concat(parts: Value[], axis: number): Value {
    return parts.length > 1 ? this.node("Concat", parts, { axis }) : (parts[0] as Value)
  }

  private initializer(key: string, make: () => Message): Value {
    const root = this.root
    const found = root.known.get(key)
    if (found) return found
    root.known.set(key, key)
    root.initializers.push({ ...make(), name: key })
    return key
  }

  /** A weight from the weights file. */
  weight(name: string): Value {
    return this.initializer(name, () => {
      const t = this.root.locate(name)
      return {
        dims: t.dims,
        data_type: dataTypes[t.type],
        data_location: 1,
        external_data: [
          { key: "location", value: this.root.weightsFile },
          { key: "offset", value: String(t.offset) },
          { key: "length", value: String(t.length) },
        ],
      }
    })
  }

  private constant(type: DataType, dims: number[], data: ArrayBufferView): Value {
    const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    const value = raw.length > 256 ? createHash("sha256").update(raw).digest("hex") : raw.toString("base64")
    return this.initializer(`const:${type}:${dims}:${value}`, () => ({
      dims,
      data_type: dataTypes[type],
      raw_data: raw,
    }))
  }

  /** A constant of whole numbers: shapes, axes, indices. Shared by value. */
  ints(values: number[], dims: number[] = [values.length]): Value {
    return this.constant("int64", dims, BigInt64Array.from(values.map(BigInt)))
  }

  /** A constant of fp32 numbers. */
  floats(values: ArrayLike<number>, dims: number[] = [values.length]): Value {
    return this.constant("float32", dims, Float32Array.from(values))
  }

  /** A constant of fp16 numbers. */
  halves(values: ArrayLike<number>, dims: number[] = [values.length]): Value {
    return this.constant("float16", dims, toHalf(Float32Array.from(values)))
  }

  /** A constant of fp64 numbers. */
  doubles(values: ArrayLike<number>, dims: number[] = [values.length]): Value {
    return this.constant("float64", dims, Float64Array.from(values))
  }

  /** A constant of int32 numbers. */
  int32s(values: number[], dims: number[] = [values.length]): Value {
    return this.constant("int32", dims, Int32Array.from(values))
  }

  bools(values: boolean[], dims: number[] = [values.length]): Value {
    return this.constant("bool", dims, Uint8Array.from(values.map(Number)))
  }

  /**
   * ONNX Loop: runs `body` `count` times. `states` are carried from turn to turn; the body gets the turn (int64
   * scalar) and the states, and returns the next states and what to stack. Results: final states, then stacks.
   */
  loop(
    count: number,
    states: { value: Value; type: DataType; shape: readonly Dim[] }[],
    stacks: { type: DataType; shape: readonly Dim[] }[],
    body: (g: Graph, turn: Value, states: Value[]) => { states: Value[]; stacks: Value[] },
  ): { states: Value[]; stacks: Value[] } {
    const inner = new Graph(this.fresh("body"), this.locate, this.weightsFile, this)
    const turn = inner.input(this.fresh("turn"), "int64", [])
    inner.input(this.fresh("go"), "bool", [])
    const carried = states.map((s) => inner.input(this.fresh("state"), s.type, s.shape))
    const result = body(inner, turn, carried)
    inner.output(this.fresh("go_on"), this.bools([true], []), "bool", [])
    states.forEach((s, i) => {
      inner.output(this.fresh("next"), result.states[i] as Value, s.type, s.shape)
    })
    stacks.forEach((s, i) => {
      inner.output(this.fresh("stacked"), result.stacks[i] as Value, s.type, s.shape)
    })
    const outputs = this.nodesOut(
      states.length + stacks.length,
      "Loop",
      [this.ints([count], []), this.bools([true], []), ...states.map((s) => s.value)],
      { body: { graph: inner.message() } },
    )
    return { states: outputs.slice(0, states.length), stacks: outputs.slice(states.length) }
  }

  private message(): Message {
    const { name, inputs, outputs, initializers } = this
    const alias = (values: unknown) => (values as string[]).map((v) => this.aliases.get(v) ?? v)
    const node = this.nodes.map((n) => ({ ...n, input: alias(n.input), output: alias(n.output) }))
    return { name, node, input: inputs, output: outputs, initializer: initializers }
  }

  /** The bytes of the .onnx file. */
  encode(): Uint8Array {
    const message = {
      ir_version: 10,
      producer_name: "megabyte-studio",
      graph: this.message(),
      opset_import: [
        { domain: "", version: 21 },
        { domain: "com.microsoft", version: 1 },
      ],
    }
    return ModelProto.encode(ModelProto.fromObject(message)).finish()
  }
}
