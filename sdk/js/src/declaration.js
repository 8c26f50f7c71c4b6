// What a plugin says about itself: its units, lines and refusals.

const AGGREGATIONS = ["sum", "max", "distinct"];
const KINDS = ["charge", "credit", "adjustment"];

export function unit({ name, aggregation = "sum", pooled = false, groupBy = [] }) {
  if (!AGGREGATIONS.includes(aggregation)) {
    throw new TypeError(`unit \`${name}\`: the aggregation is one of ${AGGREGATIONS.join(", ")}`);
  }
  return unplaced({ name, aggregation, pooled, groupBy }, `the unit \`${name}\``, "units");
}

export function line({ code, title, unit, kind = "charge" }) {
  if (!KINDS.includes(kind)) {
    throw new TypeError(`line \`${code}\`: the kind is one of ${KINDS.join(", ")}`);
  }
  const named = typeof unit === "string" ? unit : unit.name;
  return unplaced({ code, title, unit: named, kind }, `the line \`${code}\``, "lines");
}

export function refusal({ code, title }) {
  return unplaced({ code, title }, `the refusal \`${code}\``, "refusals");
}

// Until it has a position in the descriptor, the host cannot know a declaration.
function unplaced(declaration, what, list) {
  const get = () => {
    throw new TypeError(`${what} is not among the plugin's \`${list}\`; add it there`);
  };
  return Object.defineProperty(declaration, "position", { get, configurable: true });
}

// Tells each declaration its position in the descriptor.
export function placed(declarations) {
  declarations.forEach((declaration, position) => {
    Object.defineProperty(declaration, "position", { value: position, enumerable: true });
  });
  return declarations;
}
