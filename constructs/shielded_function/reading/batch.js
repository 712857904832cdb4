// Runs in the CDK's Node.js process: reads many constructs in one message. See __init__.py.
"use strict";

const cdk = require("aws-cdk-lib"); // beside this package: jsii installs it there, and has loaded it

// A member of an object; one with `()` is called.
const member = (object, path) =>
    path.split(".").reduce((value, name) => (name.endsWith("()") ? value[name.slice(0, -2)]() : value?.[name]), object);

// Joins fragments of a text.
const JOIN = {
    join(left, right) {
        const Parts = [left, right].flatMap((side) => side?.Parts ?? [side ?? ""]);
        return Parts.every((part) => typeof part === "string") ? Parts.join("") : { Parts };
    },
};

// Names each construct by its path, as logical ids are the same in stacks of one class: the path, the attribute (or
// Ref), the CDK's text of the reference (empty where none holds elsewhere), and the type of a resource. A token that
// cannot be resolved fails the synthesis, or has its value later: the rest of a document is read.
class Paths extends cdk.DefaultTokenResolver {
    targets = new Set();

    resolveToken(token, context, postProcessor) {
        if (token instanceof cdk.aws_iam.PolicyDocument) {
            return context.resolve(token.toJSON()); // its own way freezes its statements, which later aspects may change
        }
        if (!cdk.Reference.isReference(token)) {
            try {
                return super.resolveToken(token, context, postProcessor);
            } catch {
                return { Unresolvable: String(token).replace(/[${}]/g, "") }; // no token, which would be resolved again
            }
        }
        const { target, displayName } = token;
        if (displayName.startsWith("AWS::")) {
            return { Ref: displayName };
        }
        this.targets.add(target);
        const inSub = context.documentPath.some((part) => part.endsWith("::Sub")); // its text holds there alone
        const text = inSub ? "" : cdk.Token.asString(token);
        const Construct = [target.node.path, displayName, text, target.cfnResourceType ?? ""];
        return { Construct };
    }
}

function byPath(value, scope, resolver = new Paths(JOIN)) {
    return cdk.Tokenization.resolve(value, { scope, resolver, preparing: false }) ?? null;
}

// The constructs that a value refers to.
function targetsOf(value, scope) {
    const resolver = new Paths(JOIN);
    byPath(value, scope, resolver);
    return resolver.targets;
}

// Properties of a resource, with references by path. One that cannot be resolved fails the synthesis later.
function propertiesOf(resource, names) {
    const all = resource.cfnProperties ?? {};
    const both = (name) => [name, name[0].toLowerCase() + name.slice(1)];
    const resolved = (value) => {
        try {
            return byPath(value, resource);
        } catch {
            return { Unresolvable: String(value) };
        }
    };
    const wanted = names?.length ? names.flatMap(both) : Object.keys(all);
    return Object.fromEntries(wanted.filter((name) => all[name] != null).map((name) => [name, resolved(all[name])]));
}

// A value with an object for each `{new: class, arguments: [...]}` in it.
const made = (value) => {
    if (Array.isArray(value)) {
        return value.map(made);
    }
    if (value?.constructor !== Object) {
        return value;
    }
    return value.new
        ? new (member(cdk, value.new))(...made(value.arguments))
        : Object.fromEntries(Object.entries(value).map(([name, each]) => [name, made(each)]));
};

const FORMS = {
    value: (value) => value,
    resolved: (value, resource) => resource.stack.resolve(value),
    paths: byPath,
};

const READS = {
    create: made,

    calls: (rows) => rows.forEach(([object, method, ...given]) => object[method](...given)),

    members: (objects, paths, form) =>
        objects.map((object) => paths.map((path) => FORMS[form](member(object, path), object) ?? null)),

    circles: (asked) => require("./circles").circles(asked),

    find(scope, classes, types) {
        const kinds = classes.map((path) => member(cdk, path));
        const starts = types.filter((type) => type.endsWith("::"));
        const begins = (type) => starts.some((start) => type?.startsWith(start)) && !types.includes(`!${type}`);
        const wanted = (type) => types.includes(type) || begins(type);
        return scope.node
            .findAll()
            .filter((found) => wanted(found.cfnResourceType) || kinds.some((kind) => found instanceof kind))
            .map((found) => [found, found.toString()]);
    },

    resources(stage, types, paths, without) {
        const at = (path) => path.split("/").reduce((found, id) => found?.node.tryFindChild(id), stage.node.root);
        const isWanted = (each) => each && (paths.length || types[each.cfnResourceType]) && cdk.Stage.of(each) === stage;
        return (paths.length ? paths.map(at) : stage.node.findAll())
            .filter((each) => isWanted(each) && !each.node.id.startsWith(without))
            .map((each) => [each.node.path, each.cfnResourceType ?? "", propertiesOf(each, types[each.cfnResourceType])]);
    },

    holders(scope, anyOf, others) {
        const given = (found, path) => {
            try {
                const value = member(found, path) ?? null;
                return value?.node ? value.node.path : byPath(value, found);
            } catch {
                return null; // an import may throw for a member that it lacks
            }
        };
        return scope.node.findAll().flatMap((found) => {
            const first = anyOf.map((path) => given(found, path)).find((value) => value !== null);
            return first === undefined ? [] : [[found.toString(), first, ...others.map((path) => given(found, path))]];
        });
    },
};

class Batch {
    static read(name, given) {
        return READS[name](...given);
    }

    // Values without constructs: jsii takes five times as long for a tree of values as for a text.
    static readValues(name, given) {
        return JSON.stringify(READS[name](...given));
    }
}

Object.assign(exports, { Batch, targetsOf });
