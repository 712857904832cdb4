// Whether a text in a resource would cause a circular dependency: CloudFormation orders the resources of a stack,
// including nested stacks, and the CDK orders the stacks.
"use strict";

const { CfnElement, CfnResource, Stack } = require("aws-cdk-lib");

const { targetsOf } = require("./batch");

// The units that CloudFormation and the CDK order: stacks by themselves, nested stacks by their resources.
const stackOf = new WeakMap();

// The units ordered with a construct, at each level: its stack, the nested stacks in it, and the construct.
function levelsOf(construct) {
    const found = [construct];
    for (let stack = Stack.of(construct); stack; stack = stack.nestedStackParent) {
        found.unshift(stack.nestedStackResource ?? stack);
        stackOf.set(found[0], stack);
    }
    return found;
}

// The part that contains a construct below some levels; undefined for a construct elsewhere.
function partOf(construct, above) {
    const levels = levelsOf(construct);
    return above.every((each, at) => each === levels[at]) ? levels[above.length] : undefined;
}

class Graph {
    constructor() {
        this.known = new Map();
        this.added = new Map();
    }

    // The constructs that an element refers to or depends on.
    targets(element) {
        if (!this.known.has(element)) {
            this.known.set(element, Graph.read(element));
        }
        return [...this.known.get(element), ...(this.added.get(element) ?? [])];
    }

    static read(element) {
        const found = new Set(element.obtainDependencies?.());
        try {
            targetsOf(element.cfnProperties ?? element.value, element).forEach((target) => found.add(target));
        } catch {
            // A value that cannot be resolved yet fails the synthesis later, with the CDK's message.
        }
        for (let scope = element; scope; scope = scope.node.scope) {
            for (const dependency of scope.node.dependencies) {
                for (const each of dependency.node.findAll()) {
                    if (each instanceof CfnResource || each instanceof Stack) {
                        found.add(each);
                    }
                }
            }
        }
        return found;
    }

    // The parts that a part depends on. A stack's are of its elements, without those of stacks deployed separately.
    next(part, above) {
        const stack = stackOf.get(part);
        const isElement = (each) => each instanceof CfnElement && levelsOf(each).includes(part);
        const elements = [part, ...(stack?.node.findAll() ?? [])].filter(isElement);
        const declared = part === stack ? stack.dependencies : [];
        const targets = [...elements.flatMap((element) => this.targets(element)), ...declared];
        const parts = targets.map((target) => partOf(target, above));
        return new Set(parts.filter((each) => each && each !== part));
    }

    // The parts on the path from one to another; undefined for none.
    way(from, to, above) {
        const before = new Map([[from, undefined]]);
        for (const part of before.keys()) {
            if (part === to) {
                const found = [];
                for (let each = to; each; each = before.get(each)) {
                    found.unshift(each);
                }
                return found;
            }
            for (const each of this.next(part, above)) {
                if (!before.has(each)) {
                    before.set(each, part); // a Map's keys are visited in their order, those that come meanwhile too
                }
            }
        }
        return undefined;
    }

    // The circle that a reference would close; without one, the reference is recorded.
    add(element, target) {
        const [own, others] = [levelsOf(element), levelsOf(target)];
        const at = own.findIndex((each, level) => each === element || each !== others[level]);
        const way = this.way(others[at], own[at], own.slice(0, at));
        if (!way) {
            this.added.set(element, [...(this.added.get(element) ?? []), target]);
        }
        return way && [own[at], ...way].map((part) => (stackOf.get(part) ?? part).node.path);
    }
}

function circles(asked) {
    const graph = new Graph();
    return asked.map(([resource, text]) => {
        for (const target of targetsOf(text, resource)) {
            const circle = graph.add(resource, target);
            if (circle) {
                return circle;
            }
        }
        return null;
    });
}

exports.circles = circles;
