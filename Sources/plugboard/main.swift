await PlugboardCommand<Daemon>.runProgram()
