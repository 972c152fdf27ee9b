// The name of a worker that makes a snapshot, instead of being a node.
export const SNAPSHOT = "web5-snapshot";
