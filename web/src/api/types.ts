/**
 * What the server says and hears: the shapes of docs/http.md and of the node folders (nodes/README.md).
 *
 * Everything here is data as it comes over the wire. Records of a flow file keep every property they came with.
 */

/** A value as JSON knows it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** One entry of a flow file: a tab, a node, a config node, a group, a subflow… with whatever properties it has. */
export interface FlowItem {
  id: string
  type: string
  [property: string]: Json | undefined
}

/** How much of the running flows a deploy restarts. */
export type DeployMode = 'full' | 'flows' | 'nodes' | 'reload'

/** The running flows and the name of their version. */
export interface FlowsAnswer {
  flows: FlowItem[]
  rev: string
}

/** Something that is wrong with the running flows; `node` is null when it concerns all of them. */
export interface Problem {
  node: string | null
  level: 'error' | 'warning'
  code: string
  message: string
}

/** A deployed version in the history. */
export interface Version {
  rev: string
  /** Milliseconds since 1970. */
  time: number
  nodes: number
}

/** A topic that the built-in broker saw lately. */
export interface TopicSeen {
  topic: string
  payload: string
  retained: boolean
  /** Milliseconds since 1970. */
  time: number
}

/** What the server tells about itself. */
export interface ServerSettings {
  version: string
  lang: string
  broker: { host: string; port: number } | null
  [setting: string]: Json | undefined
}

/** The state of the server, for the status strip. */
export interface Health {
  status: string
  rev: string
  flows: number
  broker: 'running' | 'off'
}

/** How many ports a node has: a number, the number in a property, or the length of a list. */
export type PortCount = number | { property: string } | { length: string; count?: string }

/** When a property is shown and required: each named property has (one of) the given values, compared as text. */
export type When = Record<string, string | string[]>

/** The kinds of property that the editor has a field for; any other is edited as JSON. */
export type PropertyKind =
  | 'text'
  | 'multiline'
  | 'number'
  | 'bool'
  | 'select'
  | 'typed'
  | 'message-path'
  | 'topic'
  | 'code'
  | 'config'
  | 'secret'
  | 'list'
  | 'duration'
  | 'nodes'
  | 'file'
  | 'colour'
  | 'icon'
  | 'json'

/** A property of a node type, from its manifest. */
export interface Property {
  name: string
  /** A {@link PropertyKind}, or one that this editor does not know yet. */
  kind: string
  /** What the runtime takes when the property is missing. */
  default?: Json
  /** What a new node gets instead of `default`. */
  fresh?: Json
  required?: boolean
  when?: When
  /** The tab of the form it stands in. */
  section?: string
  advanced?: boolean
  /** `number`: bounds and step. */
  min?: number
  max?: number
  step?: number
  /** `select`: the values to choose from. */
  options?: Json[]
  /** `typed`: the types to choose from; `nodes`: the node types to offer. */
  types?: string[]
  /** `typed`: the property that holds the type, and its default and first value. */
  typeProperty?: string
  typeDefault?: string
  typeFresh?: string
  /** `code`: javascript, json, jsonata, markdown, mustache or text. */
  language?: string
  /** `config`: the type of the config node. */
  type?: string
  /** `list`: the properties of an entry; without them the entries are strings. */
  fields?: Property[]
  /** `duration`: what a bare number means. */
  unit?: 's' | 'ms'
  /** `secret`: it has several lines. */
  lines?: boolean
  /** `bool`: which texts are true: all but `false`, all but the empty one, none. */
  texts?: 'said' | 'any' | 'none'
}

/** The texts of one property. */
export interface PropertyTexts {
  label?: string
  hint?: string
  placeholder?: string
}

/** Every text of a node type that a person sees, in one language. */
export interface NodeTexts {
  label: string
  summary?: string
  properties?: Record<string, PropertyTexts>
  options?: Record<string, Record<string, string>>
  sections?: Record<string, string>
  inputLabel?: string
  outputLabels?: string[]
  messages?: Record<string, string>
}

/** An example of a node, shown in its help. */
export interface NodeExample {
  title: string
  about?: string
  config?: Record<string, Json>
  given?: Json[]
  then?: Json[]
}

/** What a node's button on the canvas does. */
export type NodeButton = { kind: 'inject' } | { kind: 'toggle'; property: string }

/** A node type as the catalogue describes it. */
export interface NodeType {
  type: string
  category: string
  icon?: string
  iconSvg?: string
  color?: string
  align?: 'left' | 'right'
  config?: boolean
  inputs?: PortCount
  outputs?: PortCount
  label?: string[]
  button?: NodeButton
  properties: Property[]
  credentials?: Property[]
  texts: NodeTexts
  help?: string
  examples?: NodeExample[]
}

/** All node types, with texts in one language. */
export interface Catalog {
  lang: string
  types: NodeType[]
}

/** The status line of a node; all empty clears it. */
export interface NodeStatus {
  fill?: string
  shape?: string
  text?: string
}

/** What a debug node, or a node with a warning or an error, sends to the editor. */
export interface DebugData {
  id?: string
  z?: string
  path?: string
  name?: string
  type?: string
  topic?: string
  property?: string
  /** Always text; `format` says what it was. */
  msg?: string
  format?: string
  /** 20 for an error, 30 for a warning; debug nodes have none. */
  level?: number
  timestamp?: number
}

/** One message of the `/comms` socket. `topic` says what `data` is. */
export interface Frame {
  topic: string
  data: unknown
}

/** The set credentials of a node: texts as they are, for a secret only `has_<name>: true`. */
export type CredentialsState = Record<string, string | boolean>
