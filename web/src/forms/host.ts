/** What fields need from around the form: other nodes, the broker's topics, panels to open. Handed down as context. */
import { getContext, setContext } from 'svelte'
import type { Json, Property, TopicSeen } from '../api/types'

/** A node to choose. */
export interface NodeChoice {
  id: string
  label: string
  type: string
}

/** The surroundings of a form. */
export interface FormHost {
  /** The config nodes of a type. */
  configNodes(type: string): NodeChoice[]
  /** How many nodes use a config node. */
  userCount(id: string): number
  /** Whether the catalogue has this config type, so that a new one can be made. */
  canCreate(type: string): boolean
  /** Makes a config node, lets `use` put its id in the field, and opens its form. */
  createConfig(type: string, use: (id: string) => void): void
  openConfig(id: string): void
  /** The nodes on the same tab, of these types if given. */
  nodesHere(types: string[] | undefined): NodeChoice[]
  topics(): Promise<TopicSeen[]>
  /** Whether the form has half of the window. */
  readonly wide: boolean
  setWide(wide: boolean): void
}

/** What each field gets. */
export interface FieldProps {
  /** The id of its control, for the label. */
  id: string
  property: Property
  value: Json | undefined
  values: Record<string, Json | undefined>
  placeholder?: string | undefined
  /** Words for the options of a select. */
  options?: Record<string, string> | undefined
  label: string
  invalid: boolean
  describedBy?: string | undefined
  /** Takes new values of one or more properties; typing comes as `typing`, so that it can be one undo step. */
  change: (patch: Record<string, Json | undefined>, typing?: boolean) => void
}

const KEY = Symbol('form host')

/** Puts the surroundings in place for every field below. */
export function setFormHost(host: FormHost): void {
  setContext(KEY, host)
}

/** The surroundings, or undefined in a form that stands alone. */
export function getFormHost(): FormHost | undefined {
  return getContext<FormHost | undefined>(KEY)
}
