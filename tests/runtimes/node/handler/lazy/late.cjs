module.exports = "late";
