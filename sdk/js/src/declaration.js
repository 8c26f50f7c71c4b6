// What a plugin says about itself: its units, lines and refusals.

const AGGREGATIONS = ["sum", "max", "distinct"];
const KINDS = ["charge", "credit", "adjustment"];

export function unit({ name, aggregation = "sum", pooled = false, groupBy = [] }) {
  if (!AGGREGATIONS.includes(aggregation)) {
    throw new TypeError(`unit \`${name}\`: the aggregation is one of ${AGGREGATIONS.join(", ")}`);
  }
  return { name, aggregation, pooled, groupBy, position: -1 };
}

export function line({ code, title, unit, kind = "charge" }) {
  if (!KINDS.includes(kind)) {
    throw new TypeError(`line \`${code}\`: the kind is one of ${KINDS.join(", ")}`);
  }
  return { code, title, unit: typeof unit === "string" ? unit : unit.name, kind, position: -1 };
}

export function refusal({ code, title }) {
  return { code, title, position: -1 };
}

// Tells each declaration its position in the descriptor.
export function placed(declarations) {
  declarations.forEach((declaration, position) => {
    declaration.position = position;
  });
  return declarations;
}
