// Runs in the CDK's Node.js process: many questions about constructs in one message. See __init__.py.
"use strict";

const cdk = require("aws-cdk-lib"); // beside this package: jsii installs it there, and has loaded it

const { circles } = require("./circles");
const { targetsOf } = require("./references");

const member = (object, path) => path.split(".").reduce((value, name) => value?.[name], object);

// What a resource discloses of itself.
function inspect(resource) {
    const attributes = {};
    resource.inspect({ addAttribute: (name, value) => (attributes[name] = value) });
    return attributes;
}

class Batch {
    static members(objects, paths) {
        return objects.map((object) => paths.map((path) => member(object, path) ?? null));
    }

    static call(objects, method) {
        return objects.map((object) => object[method]() ?? null);
    }

    // What resources disclose of themselves to the tree's metadata (CfnResource.inspect).
    static inspect(resources) {
        return resources.map(inspect);
    }

    // Some properties in one attribute of that, resolved, and beside them, as `overrides`, what add_property_override wrote,
    // which the CDK keeps in a member of its own. Null for a resource without the attribute.
    static resolve(resources, attribute, names) {
        return resources.map((resource) => {
            const properties = inspect(resource)[attribute];
            const wanted = Object.fromEntries(names.map((name) => [name, properties?.[name]]));
            const overrides = resource.rawOverrides?.Properties;
            return properties ? resource.stack.resolve(overrides ? { ...wanted, overrides } : wanted) : null;
        });
    }

    // Of some properties, or of all of them: the texts of the constructs that they refer to, and what they resolve to. Null
    // for a resource that discloses none. Without an attribute, what classes that extend CfnResource see, plain ones too.
    static references(resources, attribute, names) {
        return resources.map((resource) => {
            const all = attribute ? resource.inspect && inspect(resource)[attribute] : resource.cfnProperties;
            if (!all) {
                return null;
            }
            const wanted = names.length ? Object.fromEntries(names.map((name) => [name, all[name]])) : all;
            return [[...targetsOf(wanted, resource)].map((target) => target.toString()), resource.stack.resolve(wanted)];
        });
    }

    // Of texts that resources are to hold: the path of the circle that each would close, or null. See circles.js.
    static circles(asked) {
        return circles(asked);
    }

    // The constructs in a scope that are of one of these classes, or resources of one of these types, each with its text.
    // `Custom::` is every type that begins so, but those with a `!` in front.
    static find(scope, classes, types) {
        const kinds = classes.map((path) => member(cdk, path));
        const starts = types.filter((type) => type.endsWith("::"));
        const begins = (type) => starts.some((start) => type?.startsWith(start)) && !types.includes(`!${type}`);
        const wanted = (type) => types.includes(type) || begins(type);
        return scope.node
            .findAll()
            .filter((found) => wanted(found.cfnResourceType) || kinds.some((kind) => found instanceof kind))
            .map((found) => [found, found.toString()]);
    }

    // The constructs in a scope that have one of some members, each with its text, the first that it has, and the others
    // that are asked of it. An import may throw where it was not told of one.
    static holders(scope, anyOf, others) {
        const given = (found, path) => {
            try {
                return member(found, path) ?? null;
            } catch {
                return null;
            }
        };
        return scope.node.findAll().flatMap((found) => {
            const first = anyOf.map((path) => given(found, path)).find((value) => value !== null);
            return first === undefined ? [] : [[found.toString(), first, ...others.map((path) => given(found, path))]];
        });
    }

    static create(module, type, scope, id, props) {
        return new cdk[module][type](scope, id, props);
    }

    static createLogGroup(scope, id, props) {
        const group = new cdk.aws_logs.LogGroup(scope, id, props);
        return [group, group.logGroupName];
    }

    static createAlarms(scope, alarms) {
        const { Alarm, MathExpression, Metric } = cdk.aws_cloudwatch;
        return alarms.map(([id, metric, props]) => {
            const Kind = metric.expression ? MathExpression : Metric;
            return new Alarm(scope, id, { ...props, metric: new Kind(metric) });
        });
    }

    // Gives a function some of: a logging configuration, an aspect of its resource.
    static attach(resource, given) {
        if (given.logging) {
            resource.loggingConfig = given.logging;
        }
        if (given.aspect) {
            cdk.Aspects.of(resource).add(given.aspect, { priority: given.priority });
        }
    }

    static note(constructs, type, texts) {
        constructs.forEach((construct, number) => construct.node.addMetadata(type, texts[number]));
    }

    // To a Function, or to a CfnFunction.
    static addLayer(lambda, layer) {
        if (lambda.addLayers) {
            lambda.addLayers(layer);
        } else {
            lambda.layers = [...(lambda.layers ?? []), layer.layerVersionArn];
        }
    }

    static addEnvironment(lambda, variables, layers) {
        layers.forEach((layer) => Batch.addLayer(lambda, layer));
        for (const [name, value] of Object.entries(variables)) {
            lambda.addEnvironment(name, value);
        }
    }
}

exports.Batch = Batch;
